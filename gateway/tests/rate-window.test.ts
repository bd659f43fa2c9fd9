import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RateWindow } from '../src/rate-window.ts'

const NOW = 1_800_000_000_000

describe('a rate window', () => {
  it('allows exactly the limit at one moment', () => {
    const window = new RateWindow()

    const allowed = Array.from({ length: 50 }, () => window.take(NOW, 20, 1)).filter((decision) => decision.allowed)

    expect(allowed).toHaveLength(20)
    expect(allowed.map(({ remaining }) => remaining)).toEqual(Array.from({ length: 20 }, (_, index) => 19 - index))
  })

  it('never lets more than the limit through in any 60 seconds', () => {
    const steps = fc.array(fc.record({ waitMs: fc.integer({ min: 0, max: 20_000 }), cost: fc.integer({ min: 1, max: 3 }) }), { minLength: 1, maxLength: 300 })
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 10 }), (calls, limit) => {
        const window = new RateWindow()
        let now = NOW
        const passed: { at: number; cost: number }[] = []
        for (const { waitMs, cost } of calls) {
          now += waitMs
          if (window.take(now, limit, cost).allowed) passed.push({ at: now, cost })
        }

        for (const { at } of passed) {
          const within = passed.filter((other) => other.at >= at && other.at < at + 60_000)
          expect(within.reduce((sum, { cost }) => sum + cost, 0)).toBeLessThanOrEqual(limit)
        }
      }),
    )
  })

  it('lets a refused call through once it has waited as long as it was told to, and not before', () => {
    const steps = fc.array(fc.integer({ min: 0, max: 15_000 }), { minLength: 1, maxLength: 100 })
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 5 }), (waits, limit) => {
        const window = new RateWindow()
        let now = NOW
        for (const waitMs of waits) {
          now += waitMs
          const decision = window.take(now, limit, 1)
          if (decision.allowed) continue

          const soon = new RateWindow(window.state).take(now + (decision.resetSeconds - 2) * 1000, limit, 1)
          const then = new RateWindow(window.state).take(now + decision.resetSeconds * 1000, limit, 1)

          expect(then.allowed).toBe(true)
          if (decision.resetSeconds >= 2) expect(soon.allowed).toBe(false)
        }
      }),
    )
  })

  it('refuses what costs more than the whole limit, for ever', () => {
    const decision = new RateWindow().take(NOW, 5, 6)

    expect(decision).toMatchObject({ allowed: false, remaining: 5 })
  })

  it('frees nothing when the clock jumps back', () => {
    const window = new RateWindow()
    for (let call = 0; call < 5; call++) window.take(NOW, 5, 1)

    const decision = window.take(NOW - 3_600_000, 5, 1)

    expect(decision.allowed).toBe(false)
  })

  it('goes on counting from what was kept of it', () => {
    const window = new RateWindow()
    for (let call = 0; call < 3; call++) window.take(NOW, 5, 1)

    const again = new RateWindow(structuredClone(window.state))

    expect(again.take(NOW + 1000, 5, 1)).toMatchObject({ allowed: true, remaining: 1 })
  })

  it('is empty once nothing in it counts, and whole again', () => {
    const window = new RateWindow()
    window.take(NOW, 5, 5)

    expect(window.isEmptyAt(NOW + 59_000)).toBe(false)
    expect(window.isEmptyAt(NOW + 61_000)).toBe(true)
    expect(window.take(NOW + 61_000, 5, 1)).toMatchObject({ allowed: true, remaining: 4 })
  })
})
