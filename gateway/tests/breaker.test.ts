import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Breaker, type Pass } from '../src/breaker.ts'

const RULES = { windowMs: 1_000, failures: 3, openMs: 500, trialMs: 300 }

function opened(now: number): Breaker {
  const breaker = new Breaker(RULES)
  for (let count = 0; count < RULES.failures; count++) breaker.leave('call', true, now)
  return breaker
}

describe('a breaker', () => {
  it('opens at so many failures within a stretch, and says how long to wait', () => {
    const breaker = new Breaker(RULES)
    breaker.leave('call', true, 0)
    breaker.leave('call', true, 10)
    expect(breaker.enter(10)).toBe('call')

    breaker.leave('call', true, 20)

    expect(breaker.isClosed).toBe(false)
    expect(breaker.enter(30)).toBe(490)
  })

  it('forgets failures of another stretch', () => {
    const breaker = new Breaker(RULES)
    for (const now of [0, 900, 1_900, 2_800, 3_800]) breaker.leave('call', true, now)

    expect(breaker.isClosed).toBe(true)
  })

  it('stays closed where most calls are answered', () => {
    const breaker = new Breaker(RULES)
    for (let count = 0; count < 100; count++) breaker.leave('call', count % 3 === 0, 5)

    expect(breaker.isClosed).toBe(true)
  })

  it('lets one trial through after a while, and closes when it is answered', () => {
    const breaker = opened(0)

    expect([breaker.enter(499), breaker.enter(500), breaker.enter(501)]).toEqual([1, 'trial', 299])
    breaker.leave('trial', false, 510)

    expect(breaker.enter(510)).toBe('call')
  })

  it('opens anew when the trial fails', () => {
    const breaker = opened(0)
    expect(breaker.enter(500)).toBe('trial')
    breaker.leave('trial', true, 600)

    expect(breaker.enter(700)).toBe(400)
  })

  it('lets another trial through where one never ended, and minds the late one no more once that decided', () => {
    const breaker = opened(0)
    expect(breaker.enter(500)).toBe('trial')
    expect(breaker.enter(800)).toBe('trial')
    breaker.leave('trial', true, 810)

    breaker.leave('trial', false, 820)

    expect(breaker.isClosed).toBe(false)
  })

  it('is not moved by calls that were under way when it opened', () => {
    const breaker = opened(0)
    breaker.leave('call', false, 100)
    breaker.leave('call', true, 400)

    expect(breaker.enter(400)).toBe(100)
  })
})

/** What happens to a breaker: time goes on, somebody asks, a call that is under way ends. */
const step = fc.oneof(
  fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 700 }) }),
  fc.record({ kind: fc.constant('ask' as const) }),
  fc.record({ kind: fc.constant('end' as const), which: fc.nat(20), isFailure: fc.boolean() }),
)

describe('whatever happens', () => {
  it('never two trials are under way within one trial’s time, and never is it open for longer than it says', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const breaker = new Breaker(RULES)
        const underWay: Pass[] = []
        let [now, lastTrial] = [0, -Infinity]
        for (const one of steps) {
          if (one.kind === 'wait') now += one.ms
          if (one.kind === 'end' && underWay.length > 0) {
            const [ended] = underWay.splice(one.which % underWay.length, 1)
            breaker.leave(ended ?? 'call', one.isFailure, now)
            if (ended === 'trial') lastTrial = -Infinity
          }
          if (one.kind !== 'ask') continue
          const entered = breaker.enter(now)
          if (typeof entered === 'number') {
            expect(entered).toBeGreaterThan(0)
            expect(entered).toBeLessThanOrEqual(Math.max(RULES.openMs, RULES.trialMs))
            continue
          }
          if (entered === 'trial') {
            expect(now - lastTrial).toBeGreaterThanOrEqual(RULES.trialMs)
            lastTrial = now
          }
          underWay.push(entered)
        }
      }),
    )
  })

  it('a service that answers is never shut out, however often its callers err', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 2_000 }), { maxLength: 300 }), (waits) => {
        const breaker = new Breaker(RULES)
        let now = 0
        for (const wait of waits) {
          now += wait
          expect(breaker.enter(now)).toBe('call')
          breaker.leave('call', false, now)
        }
      }),
    )
  })

  it('a service that came back is open to all after at most one answered call', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000 }), (later) => {
        const breaker = opened(0)
        const entered = breaker.enter(RULES.openMs + later)
        breaker.leave(entered === 'trial' ? 'trial' : 'call', false, RULES.openMs + later + 1)

        expect(breaker.enter(RULES.openMs + later + 1)).toBe('call')
      }),
    )
  })
})
