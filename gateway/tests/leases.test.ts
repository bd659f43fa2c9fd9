import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Leases, shareOf, type Lent, type Loan } from '../src/leases.ts'
import { RateWindow } from '../src/rate-window.ts'

const NOW = 1_800_000_000_000
const KEY = 'default key_1'

/** The counter's side as its Durable Object has it, by a clock of its own. */
function counter(limit: number) {
  const window = new RateWindow(undefined, { isLeased: true })
  const giveBack = (now: number, { life, ...unused }: Loan) => {
    if (life === 'one') window.giveBack(now, unused)
  }
  return {
    giveBack,
    lend(now: number, { cost, want, returned }: { cost: number; want: number; returned?: Loan | undefined }): Lent {
      if (returned) giveBack(now, returned)
      const { allowed, remaining, resetSeconds } = window.take(now, limit, cost)
      const units = allowed ? Math.max(0, Math.min(want, remaining, shareOf(limit))) : 0
      if (units > 0) window.take(now, limit, units)
      return { allowed, remaining: remaining - units, resetSeconds, loan: { units, window: KEY, second: window.second, life: 'one' } }
    },
  }
}

interface Step {
  waitMs: number
  isolate: number
  cost: number
  calls: number
  /** How long the counter's answer takes, and its way there. */
  delayMs: number
}

interface Passed {
  at: number
  cost: number
}

/** Lets isolates with clocks of their own call one counter; what passed and what was refused, in true time. */
function run(steps: Step[], { limit, skewsMs, counterSkewMs }: { limit: number; skewsMs: number[]; counterSkewMs: number }) {
  const owner = counter(limit)
  const isolates = skewsMs.map((skewMs) => ({ skewMs, leases: new Leases(), lent: 0 }))
  const passed: Passed[] = []
  const refused: (Passed & { outstanding: number })[] = []
  const dues: { at: number; isolate: number; askedAt: number }[] = []
  let now = NOW
  const settle = () => {
    for (const due of dues.splice(0).sort((one, other) => one.at - other.at)) {
      if (due.at > now) dues.push(due)
      else {
        const leftover = isolates[due.isolate]?.leases.leftover(KEY, due.askedAt)
        if (leftover) owner.giveBack(now + counterSkewMs, leftover)
      }
    }
  }
  for (const { waitMs, isolate: number, cost, calls, delayMs } of steps) {
    now += waitMs
    const isolate = isolates[number % isolates.length]
    if (!isolate) continue
    for (let call = 0; call < calls; call++) {
      settle()
      const local = now + isolate.skewMs
      if (isolate.leases.take(KEY, cost, local)) {
        passed.push({ at: now, cost })
        continue
      }
      const wish = isolate.leases.wish(KEY, limit, local)
      now += delayMs
      const lent = owner.lend(now + counterSkewMs, { ...wish, cost })
      if (!isolate.leases.hold(KEY, lent, local)) owner.giveBack(now + counterSkewMs, lent.loan)
      else if (lent.loan.units > 0) dues.push({ at: now - delayMs + 1000, isolate: number % isolates.length, askedAt: local })
      if (lent.allowed) passed.push({ at: now, cost })
      else refused.push({ at: now, cost, outstanding: isolates.length * shareOf(limit) })
    }
  }
  return { passed, refused }
}

function usedBetween(passed: Passed[], from: number, until: number): number {
  return passed.filter(({ at }) => at >= from && at < until).reduce((sum, { cost }) => sum + cost, 0)
}

const step = fc.record({
  waitMs: fc.oneof(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 15_000 })),
  isolate: fc.integer({ min: 0, max: 4 }),
  cost: fc.integer({ min: 1, max: 4 }),
  calls: fc.integer({ min: 1, max: 60 }),
  delayMs: fc.integer({ min: 0, max: 40 }),
})
const scene = fc.record({
  limit: fc.integer({ min: 200, max: 700 }),
  skewsMs: fc.array(fc.integer({ min: -1_000, max: 1_000 }), { minLength: 1, maxLength: 5 }),
  counterSkewMs: fc.integer({ min: -1_000, max: 1_000 }),
})

describe('leases of a limit', () => {
  it('never let more than the limit through in any 60 seconds, however many isolates hold some and whatever their clocks say', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 120 }), scene, (steps, about) => {
        const { passed } = run(steps, about)

        for (const { at } of passed) expect(usedBetween(passed, at, at + 60_000)).toBeLessThanOrEqual(about.limit)
      }),
      { numRuns: 200 },
    )
  })

  it('refuse no earlier than by what is held elsewhere, once a second has passed for what is not used to go back', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 120 }), scene, (steps, about) => {
        const { passed, refused } = run(steps, about)

        for (const { at, cost, outstanding } of refused) expect(usedBetween(passed, at - 62_000, at + 1) + outstanding + cost).toBeGreaterThan(about.limit)
      }),
      { numRuns: 200 },
    )
  })

  it('are not used after their second, nor before it', () => {
    const [leases, owner] = [new Leases(), counter(10_000)]
    for (const at of [NOW, NOW + 1]) leases.hold(KEY, owner.lend(at, { ...leases.wish(KEY, 10_000, at), cost: 1 }), at)

    expect(leases.take(KEY, 1, NOW + 1_001)).toBeUndefined()
    expect(leases.take(KEY, 1, NOW)).toBeUndefined()
    expect(leases.take(KEY, 1, NOW + 1_000)).toMatchObject({ allowed: true })
    expect(leases.take(KEY, 1, NOW + 1_000)).toBeUndefined()
  })

  it('are of no more than a hundredth, and of nothing for who comes seldom', () => {
    const leases = new Leases()
    const wishes = Array.from({ length: 12 }, (_, index) => {
      const { want } = leases.wish(KEY, 5_000, NOW + index)
      leases.hold(KEY, { allowed: true, remaining: 4_000, resetSeconds: 60, loan: { units: want, window: KEY, second: 0, life: 'one' } }, NOW + index)
      for (let call = 0; call < want; call++) leases.take(KEY, 1, NOW + index)
      return want
    })

    expect(wishes).toEqual([0, 1, 2, 4, 8, 16, 32, 50, 50, 50, 50, 50])
    expect(new Leases().wish(KEY, 5_000, NOW)).toEqual({ want: 0 })
  })

  it('count for as long as what was used at their very end', () => {
    const window = new RateWindow(undefined, { isLeased: true })
    window.take(NOW + 999, 100, 100) // and the last of it is used a second later

    expect(window.take(NOW + 61_998, 100, 1).allowed).toBe(false)
    expect(window.take(NOW + 62_000, 100, 1).allowed).toBe(true)
  })

  it('go back once their second is over, and only once', () => {
    const [leases, owner] = [new Leases(), counter(1_000)]
    for (const at of [NOW, NOW + 1, NOW + 2]) leases.hold(KEY, owner.lend(at, { ...leases.wish(KEY, 1_000, at), cost: 1 }), at)

    const leftover = leases.leftover(KEY, NOW + 2)
    const again = leases.leftover(KEY, NOW + 2)

    expect(leftover).toMatchObject({ units: 2 })
    expect(again).toBeUndefined()
    if (leftover) owner.giveBack(NOW + 1_002, leftover)
    expect(owner.lend(NOW + 1_002, { cost: 997, want: 0 })).toMatchObject({ allowed: true, remaining: 0 })
  })

  it('that come too late to be held are told to go back', () => {
    const leases = new Leases()
    leases.wish(KEY, 5_000, NOW)
    leases.wish(KEY, 5_000, NOW + 1_000)
    const lent = { allowed: true, remaining: 9, resetSeconds: 60, loan: { units: 1, window: KEY, second: 0, life: 'one' } }

    expect(leases.hold(KEY, lent, NOW)).toBe(false)
    expect(leases.hold(KEY, lent, NOW + 1_000)).toBe(true)
  })

  it('that are not enough for a dear call go back with its question', () => {
    const leases = new Leases()
    leases.wish(KEY, 5_000, NOW)
    const loan: Loan = { units: 3, window: KEY, second: 7, life: 'one' }
    leases.hold(KEY, { allowed: true, remaining: 4_000, resetSeconds: 60, loan }, NOW)

    expect(leases.take(KEY, 5, NOW)).toBeUndefined()
    expect(leases.wish(KEY, 5_000, NOW).returned).toEqual(loan)
    expect(leases.leftover(KEY, NOW)).toBeUndefined()
  })

  it('are asked for by one call at a time; the others ask for themselves alone', () => {
    const leases = new Leases()
    leases.wish(KEY, 5_000, NOW)
    leases.hold(KEY, { allowed: true, remaining: 1, resetSeconds: 1, loan: { units: 0, window: KEY, second: 0, life: 'one' } }, NOW)

    const wishes = Array.from({ length: 5 }, () => leases.wish(KEY, 5_000, NOW + 1).want)

    expect(wishes).toEqual([1, 0, 0, 0, 0])
  })

  it('of a counter that forgot are not taken off what it counted since', () => {
    const owner = counter(100)
    owner.lend(NOW, { cost: 100, want: 0 })

    owner.giveBack(NOW, { units: 50, window: KEY, second: Math.floor(NOW / 1000), life: 'earlier' })

    expect(owner.lend(NOW, { cost: 1, want: 0 }).allowed).toBe(false)
  })
})
