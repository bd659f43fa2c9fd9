/** Names what `hashedEmbedding` makes; whoever changes what it answers for any text changes the name, since embeddings of two models are never compared. */
export const HASHING_MODEL = 'hashing-384-v1'

/** No more of a text than this many characters is looked at, so that a long one costs no more than some milliseconds. */
const MAX_CHARACTERS = 32_768

const DIMENSIONS = 384

/** What a kind of feature counts for beside a word. Parts of words bring spellings and inflections together, pairs keep some of the order. */
const WEIGHTS = { word: 1, stopWord: 0.05, pair: 0.3, part: 0.35 }

/** Lengths of the parts that a word is cut into, its ends marked. */
const PART_LENGTHS = [3, 4]

/** Words that say nothing about what a text is about: the list that PostgreSQL's `english` leaves out, apart from what an apostrophe splits off. */
const STOP_WORDS = new Set(
  `i me my myself we our ours ourselves you your yours yourself yourselves he him his himself she her hers herself it its itself they them their theirs
  themselves what which who whom this that these those am is are was were be been being have has had having do does did doing a an the and but if or because
  as until while of at by for with about against between into through during before after above below to from up down in out on off over under again further
  then once here there when where why how all any both each few more most other some such no nor not only own same so than too very s t can will just don
  should now`.split(/\s+/),
)

/**
 * An embedding made of a text's words, pairs of words and parts of words, each hashed to a place and a sign (feature hashing), repeated ones counting by their
 * logarithm, of length 1. The same text gives the same numbers everywhere. Texts are near each other when they share words or spellings: it knows no synonyms.
 * Undefined for a text without a letter or digit, which has no direction.
 */
export function hashedEmbedding(text: string): number[] | undefined {
  const words = wordsOf(text)
  const features: Features = new Map()
  const count = (hash: number, weight: number) => {
    const feature = features.get(hash)
    if (feature) feature.count += 1
    else features.set(hash, { count: 1, weight })
  }
  let previous: string | undefined
  for (const word of words) {
    const isStopWord = STOP_WORDS.has(word)
    count(hashOf('w', word), isStopWord ? WEIGHTS.stopWord : WEIGHTS.word)
    if (isStopWord) continue
    if (previous !== undefined) count(hashOf('b', `${previous} ${word}`), WEIGHTS.pair)
    countParts(word, count)
    previous = word
  }
  return directionOf(features)
}

/** Whether a text has a word that is looked for, and not only words such as `the` and `of`, or none. */
export function hasMeaning(text: string): boolean {
  return wordsOf(text).some((word) => !STOP_WORDS.has(word))
}

/** How often each hash came, and what its kind counts for. */
type Features = Map<number, { count: number; weight: number }>

/** Lower-case words without diacritics; `fullText` is two. */
function wordsOf(text: string): string[] {
  const plain = text.slice(0, MAX_CHARACTERS).normalize('NFKD').replaceAll(/\p{M}/gu, '')
  const apart = plain.replaceAll(/(?<=[\p{Ll}\p{N}])(?=\p{Lu})/gu, ' ').toLowerCase()
  return apart.match(/[\p{L}\p{N}]+/gu) ?? []
}

function countParts(word: string, count: (hash: number, weight: number) => void): void {
  const marked = `<${word}>`
  for (const length of PART_LENGTHS) {
    for (let start = 0; start + length <= marked.length; start++) count(hashOf('p', marked.slice(start, start + length)), WEIGHTS.part)
  }
}

/** Each feature adds to the number its hash names, or takes away from it, so that those that meet there cancel out on average. */
function directionOf(features: Features): number[] | undefined {
  const sums = new Float64Array(DIMENSIONS)
  for (const [hash, { count, weight }] of features) {
    const place = (hash >>> 1) % DIMENSIONS
    sums[place] = (sums[place] ?? 0) + (hash & 1 ? weight : -weight) * (1 + Math.log(count))
  }
  const length = Math.hypot(...sums)
  return length === 0 ? undefined : Array.from(sums, (sum) => Number((sum / length).toFixed(6)))
}

/** FNV-1a over UTF-16 units, its bits mixed by the end of MurmurHash3. Not for secrets. */
function hashOf(kind: string, text: string): number {
  let hash = 0x811c9dc5 ^ kind.charCodeAt(0)
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
