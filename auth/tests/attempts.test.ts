import { describe, expect, it } from 'vitest'
import { CODE_MS, issue, LOCK_MS, MAX_FAILURES, NO_ATTEMPTS, redeem, type Attempts } from '../src/sessions/attempts.ts'

const NOW = Date.parse('2026-11-21T12:00:00.000Z')

function afterIssuing(hash: string, atMs = NOW, attempts: Attempts = NO_ATTEMPTS): Attempts {
  return issue(attempts, hash, atMs).attempts
}

/** After so many wrong codes, one after another. */
function afterFailures(count: number, attempts: Attempts, atMs = NOW): Attempts {
  return Array.from({ length: count }).reduce<Attempts>((before) => redeem(before, 'wrong', atMs).attempts, attempts)
}

const WRONG = { outcome: 'wrong', locks: false }

describe('a one-time code', () => {
  it('is right once', () => {
    const first = redeem(afterIssuing('code'), 'code', NOW + 1)

    expect(first.verdict).toEqual({ outcome: 'right' })
    expect(redeem(first.attempts, 'code', NOW + 2).verdict).toEqual(WRONG)
  })

  it.each([
    ['is right until just before ten minutes have passed', CODE_MS - 1, { outcome: 'right' }],
    ['is wrong from then on', CODE_MS, WRONG],
  ])('%s', (_name, laterMs, verdict) => {
    expect(redeem(afterIssuing('code'), 'code', NOW + laterMs).verdict).toEqual(verdict)
  })

  it('is replaced by a new one', () => {
    const attempts = afterIssuing('second', NOW + 1, afterIssuing('first'))

    expect(redeem(attempts, 'first', NOW + 2).verdict).toEqual(WRONG)
    expect(redeem(attempts, 'second', NOW + 2).verdict).toEqual({ outcome: 'right' })
  })

  it.each(['', '-', '----', 'other'])('is not had by guessing %j where none was sent', (guess) => {
    expect(redeem(NO_ATTEMPTS, guess, NOW).verdict).toEqual(WRONG)
  })
})

describe('ten failures', () => {
  const nine = afterFailures(MAX_FAILURES - 1, afterIssuing('code'))

  it('are not nine: the right code still counts, and clears them', () => {
    const { attempts, verdict } = redeem(nine, 'code', NOW)

    expect(verdict).toEqual({ outcome: 'right' })
    expect(attempts.failures).toBe(0)
  })

  it('lock the address for a quarter of an hour, for the right code too', () => {
    const tenth = redeem(nine, 'wrong', NOW)
    const right = redeem(tenth.attempts, 'code', NOW + 1)

    expect(tenth.verdict).toEqual({ outcome: 'wrong', locks: true })
    expect(right.verdict).toEqual({ outcome: 'locked', untilMs: NOW + LOCK_MS })
    expect(redeem(right.attempts, 'code', NOW + LOCK_MS - 1).verdict).toMatchObject({ outcome: 'locked' })
  })

  it('are counted across codes', () => {
    const attempts = afterFailures(5, afterIssuing('second', NOW, afterFailures(4, afterIssuing('first'))))

    expect(redeem(attempts, 'wrong', NOW).verdict).toEqual({ outcome: 'wrong', locks: true })
  })

  it('keep codes from being sent, and from being of use afterwards', () => {
    const locked = afterFailures(1, nine)

    expect(issue(locked, 'fresh', NOW + 1)).toEqual({ attempts: locked, sends: false })
    expect(redeem(locked, 'code', NOW + LOCK_MS).verdict).toEqual(WRONG)
  })

  it('are forgotten with the lock, so that ten more are needed for the next', () => {
    const attempts = afterFailures(MAX_FAILURES - 1, afterIssuing('later', NOW + LOCK_MS, afterFailures(1, nine)), NOW + LOCK_MS)

    expect(redeem(attempts, 'later', NOW + LOCK_MS).verdict).toEqual({ outcome: 'right' })
  })
})

describe('codes for one address', () => {
  const five = ['1', '2', '3', '4', '5'].reduce<Attempts>((attempts, hash, minute) => afterIssuing(hash, NOW + minute * 60_000, attempts), NO_ATTEMPTS)

  it('are at most five in a quarter of an hour; the fifth stays good', () => {
    const sixth = issue(five, '6', NOW + 5 * 60_000)

    expect(sixth.sends).toBe(false)
    expect(redeem(sixth.attempts, '6', NOW + 5 * 60_000).verdict).toEqual(WRONG)
    expect(redeem(sixth.attempts, '5', NOW + 5 * 60_000).verdict).toEqual({ outcome: 'right' })
  })

  it('are sent again once the first was a quarter of an hour ago', () => {
    expect(issue(five, '6', NOW + LOCK_MS - 1).sends).toBe(false)
    expect(issue(five, '6', NOW + LOCK_MS).sends).toBe(true)
  })

  it('are no more for having been used', () => {
    const { attempts } = redeem(five, '5', NOW + 5 * 60_000)

    expect(issue(attempts, '6', NOW + 5 * 60_000).sends).toBe(false)
  })
})
