/** A thing as the database is filled with it. */
export interface SyntheticThing {
  id: string
  type: string
  title: string
  content: string
  year: number
}

const TYPES = ['Note', 'Page', 'Post', 'Person', 'Event', 'Product', 'Report', 'Question']

/** Things are about something, as texts are: without subjects everything would be equally far from everything, and which are the ten nearest a matter of chance. */
const SUBJECTS = 2_000
const WORDS_OF_SUBJECT = 25

/** How many words of a text are its subject's; the others are drawn from the whole vocabulary. */
const SHARE_OF_SUBJECT = { title: 0.8, content: 0.5 }

type Draw = () => string

/** Things of some hundred characters each, as many as told, always the same ones. */
export function* syntheticThings(vocabulary: readonly string[], count: number): Generator<SyntheticThing> {
  const { random, any, subjects } = language(vocabulary)
  const upTo = (most: number) => Math.floor(random() * most)
  for (let number = 0; number < count; number++) {
    const own = subjects[upTo(SUBJECTS)] ?? any
    const text = (length: number, share: number) => Array.from({ length }, () => (random() < share ? own() : any())).join(' ')
    yield {
      id: `synthetic/${number}`,
      type: TYPES[upTo(TYPES.length)] ?? '',
      title: text(3 + upTo(5), SHARE_OF_SUBJECT.title),
      content: text(30 + upTo(90), SHARE_OF_SUBJECT.content),
      year: 2000 + upTo(26),
    }
  }
}

/** Questions of two to five words, each about one of the subjects. */
export function syntheticQuestions(vocabulary: readonly string[], count: number): string[] {
  const { subjects } = language(vocabulary)
  const random = randomFrom(2)
  return Array.from({ length: count }, () => {
    const draw = subjects[Math.floor(random() * SUBJECTS)]
    return Array.from({ length: 2 + Math.floor(random() * 4) }, () => draw?.()).join(' ')
  })
}

/** Words as a language has them: of the vocabulary, and of each subject, the nth is drawn n times as seldom as the first (Zipf). */
function language(vocabulary: readonly string[]): { random: () => number; any: Draw; subjects: Draw[] } {
  const random = randomFrom(1)
  const one = () => vocabulary[Math.floor(random() * vocabulary.length)] ?? ''
  const subjects = Array.from({ length: SUBJECTS }, () => drawing(Array.from({ length: WORDS_OF_SUBJECT }, one), random))
  return { random, any: drawing(vocabulary, random), subjects }
}

function drawing(words: readonly string[], random: () => number): Draw {
  const sums: number[] = []
  for (let rank = 1; rank <= words.length; rank++) sums.push((sums.at(-1) ?? 0) + 1 / rank)
  const total = sums.at(-1) ?? 0
  return () => words[placeOf(sums, random() * total)] ?? ''
}

/** The first place whose sum is not under the wanted one. */
function placeOf(sums: readonly number[], wanted: number): number {
  let [low, high] = [0, sums.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sums[middle] ?? 0) < wanted) low = middle + 1
    else high = middle
  }
  return low
}

/** Numbers from 0 to 1 that are the same every time (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
