/** A letter that has a lower case; mathematical and other capitals without one count as small, or reading a result again would split it elsewhere. */
const UPPER = String.raw`[\p{L}&&\p{Changes_When_Lowercased}]`
const LOWER = String.raw`[\p{L}--\p{Changes_When_Lowercased}]`
const TAIL = String.raw`[[\p{L}\p{M}\p{N}]--${UPPER}]`

/** An acronym before a capitalised word (`HTTP` in `HTTPServer`), a word, an acronym with its number (`SHA256`), or digits alone. */
const WORD = new RegExp(String.raw`${UPPER}+(?=${UPPER}${LOWER})|${UPPER}?${LOWER}${TAIL}*|${UPPER}+[\p{M}\p{N}]*|[\p{M}\p{N}]+`, 'gv')

/** `HTTPServer`, `http-server` and `http server` become `HttpServer`. */
export function toPascalCase(text: string): string {
  return stable(text, (words) => words.map(capitalised).join(''))
}

/** `HTTPServer`, `http-server` and `http server` become `httpServer`. */
export function toCamelCase(text: string): string {
  return stable(text, (words) => words.map((word, index) => (index === 0 ? word : capitalised(word))).join(''))
}

/** `HTTPServer`, `httpServer` and `http server` become `http-server`. */
export function toKebabCase(text: string): string {
  return wordsOf(text).join('-')
}

/** `HTTPServer`, `httpServer` and `http server` become `http_server`. */
export function toSnakeCase(text: string): string {
  return wordsOf(text).join('_')
}

/** Joins until reading the result again changes nothing: `a-b-c` gives `ABC`, which reads as one acronym, `Abc`. Each round has fewer words, so it ends. */
function stable(text: string, join: (words: string[]) => string): string {
  const once = join(wordsOf(text))
  return once === text ? once : stable(once, join)
}

function wordsOf(text: string): string[] {
  return (text.match(WORD) ?? []).map((word) => word.toLowerCase())
}

function capitalised(word: string): string {
  const first = String.fromCodePoint(word.codePointAt(0) ?? 0)
  return first.toUpperCase() + word.slice(first.length)
}
