import { equalConstantTime } from '@dot-do/worker-utils'

/** A code holds for this long. */
export const CODE_MS = 600_000

/** After so many failures in a row, across codes, nobody signs in by the address for a while. */
export const MAX_FAILURES = 10

/** How long that is; and at most `MAX_CODES` codes are sent to an address within as long. */
export const LOCK_MS = 900_000

export const MAX_CODES = 5

/** Failures are forgotten when an address has been left alone for so long. */
export const FORGET_MS = 86_400_000

/** What is remembered of the attempts to sign in by one address. */
export interface Attempts {
  failures: number
  lockedUntilMs: number
  /** When codes were sent. */
  sentMs: number[]
  code?: { hash: string; untilMs: number } | undefined
}

/** What became of a code: `wrong` also for one that was used, replaced, or has expired. */
export type Verdict = { outcome: 'right' } | { outcome: 'wrong'; locks: boolean } | { outcome: 'locked'; untilMs: number }

/** An address that nobody tried yet. */
export const NO_ATTEMPTS: Attempts = { failures: 0, lockedUntilMs: 0, sentMs: [] }

/** Lets a code replace the one before, unless too many were sent, or the address is locked and no code would be taken. */
export function issue(attempts: Attempts, hash: string, atMs: number): { attempts: Attempts; sends: boolean } {
  const sentMs = attempts.sentMs.filter((sentAtMs) => sentAtMs > atMs - LOCK_MS)
  if (isLocked(attempts, atMs) || sentMs.length >= MAX_CODES) return { attempts, sends: false }
  return { attempts: { ...attempts, sentMs: [...sentMs, atMs], code: { hash, untilMs: atMs + CODE_MS } }, sends: true }
}

/** Takes a code. The right one is spent and clears the failures; while the address is locked not even that is taken. */
export function redeem(attempts: Attempts, hash: string, atMs: number): { attempts: Attempts; verdict: Verdict } {
  if (isLocked(attempts, atMs)) return { attempts, verdict: { outcome: 'locked', untilMs: attempts.lockedUntilMs } }
  const { code } = attempts
  const { sentMs } = attempts
  // Compared in either case, so that an address without a code answers no sooner.
  const isEqual = equalConstantTime(code?.hash ?? hash.replaceAll(/./g, '-'), hash)
  if (code && isEqual && code.untilMs > atMs) return { attempts: { ...NO_ATTEMPTS, sentMs }, verdict: { outcome: 'right' } }
  const failures = attempts.failures + 1
  if (failures < MAX_FAILURES) return { attempts: { ...attempts, failures }, verdict: { outcome: 'wrong', locks: false } }
  return { attempts: { failures: 0, lockedUntilMs: atMs + LOCK_MS, sentMs }, verdict: { outcome: 'wrong', locks: true } }
}

function isLocked({ lockedUntilMs }: Attempts, atMs: number): boolean {
  return lockedUntilMs > atMs
}
