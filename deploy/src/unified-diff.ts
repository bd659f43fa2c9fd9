/** Texts longer than this are not compared line by line, nor are those with more differences than the search can afford. */
const MAX_CHARACTERS = 1_048_576
const MAX_LINES = 20_000
const MAX_EDITS = 1_000

/** Unchanged lines around a change. */
const CONTEXT = 3

type Line = readonly [mark: ' ' | '-' | '+', text: string]

/** What turns one text into another, in the unified format of diff(1). Undefined for what is no text, too long or too different. */
export function unifiedDiff(name: string, from: string | undefined, to: string | undefined): string | undefined {
  if (from === undefined || to === undefined || from.length + to.length > MAX_CHARACTERS) return undefined
  const lines = editScript(linesOf(from), linesOf(to))
  if (!lines) return undefined
  const hunks = hunksOf(lines)
  return hunks.length === 0 ? undefined : [`--- ${name}`, `+++ ${name}`, ...hunks].join('\n') + '\n'
}

/** A text's lines; the last one says so if no line break ends it. */
function linesOf(text: string): string[] {
  if (text === '') return []
  const lines = text.split('\n')
  const last = lines.pop() ?? ''
  return last === '' ? lines : [...lines, `${last}\n\\ No newline at end of file`]
}

/** Lines kept, removed and added, in order (Myers, "An O(ND) Difference Algorithm", 1986, greedy, bounded by MAX_EDITS). */
function editScript(from: readonly string[], to: readonly string[]): Line[] | undefined {
  if (from.length + to.length > MAX_LINES) return undefined
  const max = Math.min(from.length + to.length, MAX_EDITS)
  const furthest = new Int32Array(2 * max + 3)
  const rounds: Int32Array[] = []
  for (let edits = 0; edits <= max; edits++) {
    // Only the diagonals this round may reach are kept, or the rounds together would weigh MAX_EDITS².
    rounds.push(furthest.slice(max + 1 - edits - 1, max + 1 + edits + 2))
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      const at = max + 1 + diagonal
      let x = goesDown(furthest, at, { diagonal, edits }) ? (furthest[at + 1] ?? 0) : (furthest[at - 1] ?? 0) + 1
      while (x < from.length && x - diagonal < to.length && from[x] === to[x - diagonal]) x++
      furthest[at] = x
      if (x >= from.length && x - diagonal >= to.length) return walkBack(from, to, rounds)
    }
  }
  return undefined
}

/** Whether the furthest point of a diagonal is reached by adding a line (down) rather than by removing one. */
function goesDown(furthest: Int32Array, at: number, { diagonal, edits }: { diagonal: number; edits: number }): boolean {
  return diagonal === -edits || (diagonal !== edits && (furthest[at - 1] ?? 0) < (furthest[at + 1] ?? 0))
}

function walkBack(from: readonly string[], to: readonly string[], rounds: readonly Int32Array[]): Line[] {
  const lines: Line[] = []
  let [x, y] = [from.length, to.length]
  for (let edits = rounds.length - 1; edits >= 0; edits--) {
    const furthest = rounds[edits] ?? new Int32Array()
    const diagonal = x - y
    const centre = edits + 1
    const former = goesDown(furthest, centre + diagonal, { diagonal, edits }) ? diagonal + 1 : diagonal - 1
    const formerX = edits === 0 ? 0 : (furthest[centre + former] ?? 0)
    const formerY = edits === 0 ? 0 : formerX - former
    while (x > formerX && y > formerY) {
      lines.push([' ', from[--x] ?? ''])
      y--
    }
    if (edits > 0) lines.push(x === formerX ? ['+', to[--y] ?? ''] : ['-', from[--x] ?? ''])
  }
  return lines.reverse()
}

function hunksOf(lines: readonly Line[]): string[] {
  const hunks: string[] = []
  let [at, before, after] = [0, 0, 0]
  while (at < lines.length) {
    const end = hunkEnd(lines, at)
    if (end === undefined) return hunks
    const start = Math.max(end.first - CONTEXT, at)
    for (; at < start; at++) {
      before++
      after++
    }
    const shown = lines.slice(start, end.last)
    const removed = shown.filter(([mark]) => mark !== '+').length
    const added = shown.filter(([mark]) => mark !== '-').length
    hunks.push(`@@ -${range(before, removed)} +${range(after, added)} @@`, ...shown.map(([mark, text]) => `${mark}${text}`))
    ;[at, before, after] = [end.last, before + removed, after + added]
  }
  return hunks
}

/** Where the next hunk's first change is, and where it ends: after as much context as fits before the next change that is far away. */
function hunkEnd(lines: readonly Line[], from: number): { first: number; last: number } | undefined {
  const isChange = (index: number) => lines[index]?.[0] !== ' '
  let first = from
  while (first < lines.length && !isChange(first)) first++
  if (first === lines.length) return undefined
  let last = first
  for (let index = first; index < lines.length && index - last <= 2 * CONTEXT; index++) if (isChange(index)) last = index
  return { first, last: Math.min(last + 1 + CONTEXT, lines.length) }
}

function range(start: number, count: number): string {
  return `${count === 0 ? start : start + 1},${count}`
}
