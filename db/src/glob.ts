/** Ids as a glob describes them, for SQL: they lie between two texts, byte by byte, and fit a regular expression. */
export interface Glob {
  /** What every id begins with. */
  prefix: string
  /** The first text past all that begin so. */
  end: string
  pattern: string
}

/**
 * Takes a glob for what PostgreSQL can look up: `*` is anything within a segment, `**` anything at all, and `**` with its slash also nothing, so that `**\/*` is every id.
 * Undefined for an id without a star. PostgreSQL runs such expressions as automata, so no arrangement of stars makes it try again and again.
 */
export function parseGlob(glob: string): Glob | undefined {
  const star = glob.indexOf('*')
  if (star === -1) return undefined
  const prefix = glob.slice(0, star)
  return { prefix, end: successor(prefix), pattern: `^${glob.replaceAll(/\*{2,}\/|\*{2,}|\*|[^*]/g, sourceOf)}$` }
}

function sourceOf(part: string, at: number, glob: string): string {
  // Only a whole segment of ** may vanish with its slash: in `a**/b` the slash is the text's.
  if (part.length > 1 && part.endsWith('/')) return at === 0 || glob[at - 1] === '/' ? '(.*/)?' : '.*/'
  if (part.startsWith('**')) return '.*'
  if (part === '*') return '[^/]*'
  return part === '.' ? '\\.' : part
}

/** A text past every id: they are ASCII without control characters. */
export const PAST_ALL = '\u007f'

/** Ids are ASCII, so one more than the last character is one character, too. */
function successor(prefix: string): string {
  if (prefix === '') return PAST_ALL
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)
}
