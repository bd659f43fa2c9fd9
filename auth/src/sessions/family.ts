import { equalConstantTime } from '@dot-do/worker-utils'

/** Within this time of a token's use the same token gets the same answer again. */
export const GRACE_MS = 10_000

/** So many tokens that were spent within the grace are remembered; no client refreshes faster. */
const MAX_SPENT = 20

/** A token that was spent a moment ago, and what it got. */
interface Spent {
  hash: string
  untilMs: number
  /** Sealed, so that only whoever holds the token learns it. */
  answer: string
}

/** The refresh tokens of one session, one descending from another: the newest is good, the others are spent. */
export interface Family {
  /** The hash of the token that is good. */
  current: string
  expiresAtMs: number
  spent: Spent[]
  /** A spent token came back, so somebody has a copy: none is good any more. */
  isBroken: boolean
}

/** A wish to spend a token, and what it shall get. */
export interface Rotation {
  presented: string
  next: string
  answer: string
  atMs: number
}

/** What became of the wish: `repeated` gives what the token got when it was spent; `reused` means that the family is broken; `ended` that there is none. */
export type Turn = { outcome: 'rotated' } | { outcome: 'repeated'; answer: string } | { outcome: 'reused' } | { outcome: 'ended' }

/** A new family, of one token. */
export function newFamily(current: string, expiresAtMs: number): Family {
  return { current, expiresAtMs, spent: [], isBroken: false }
}

/** Spends a token that auth once issued. The family is undefined where it expired and was forgotten. */
export function rotate(family: Family | undefined, { presented, next, answer, atMs }: Rotation): { family: Family | undefined; turn: Turn } {
  if (!family || family.expiresAtMs <= atMs) return { family, turn: { outcome: 'ended' } }
  if (family.isBroken) return { family, turn: { outcome: 'reused' } }
  const spent = family.spent.filter(({ untilMs }) => untilMs > atMs)
  if (equalConstantTime(family.current, presented)) {
    const latest = { hash: presented, untilMs: atMs + GRACE_MS, answer }
    return { family: { ...family, current: next, spent: [latest, ...spent].slice(0, MAX_SPENT) }, turn: { outcome: 'rotated' } }
  }
  const repeated = spent.find(({ hash }) => equalConstantTime(hash, presented))
  if (repeated) return { family, turn: { outcome: 'repeated', answer: repeated.answer } }
  return { family: { ...family, spent: [], isBroken: true }, turn: { outcome: 'reused' } }
}

/** What is left of a family when answers have had their time; undefined once it has expired. */
export function prune(family: Family, atMs: number): Family | undefined {
  if (family.expiresAtMs <= atMs) return undefined
  return { ...family, spent: family.spent.filter(({ untilMs }) => untilMs > atMs) }
}

/** When there will be something to prune next. */
export function nextPruneAtMs({ spent, expiresAtMs }: Family): number {
  return Math.min(expiresAtMs, ...spent.map(({ untilMs }) => untilMs))
}
