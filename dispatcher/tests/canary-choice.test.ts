import { describe, expect, it } from 'vitest'
import type { CanaryState } from '../src/canary.ts'
import { chooseVersion } from '../src/canary-choice.ts'

const canary: CanaryState = {
  version: 7,
  percent: 10,
  firstPercent: 10,
  header: 'x-try',
  steps: [],
  abortOn: null,
  startedAt: '2026-03-01T12:00:00.000Z',
  requests: 0,
  errors: 0,
}

function choose(headers: Record<string, string>, about: Partial<CanaryState> = {}, random = 0.5) {
  return chooseVersion({ ...canary, ...about }, 'hello', { headers: new Headers(headers), nowMs: 0, random: () => random })
}

/** Numbers in [0, 1) that are the same in every run (mulberry32). */
function seeded(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0
    let value = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296
  }
}

describe('a canary of ten percent', () => {
  it('gets ten of a hundred callers by chance, give or take two', () => {
    const random = seeded(1)
    const chosen = Array.from({ length: 5000 }, () => choose({}, {}, random())).filter(({ isCanary }) => isCanary)

    expect(chosen.length / 50).toBeGreaterThan(8)
    expect(chosen.length / 50).toBeLessThan(12)
  })

  it.each(['user-%', '%', '10.0.0.%', '%@example.com'])('gets ten of a hundred callers by their keys, give or take two: %s', (form) => {
    const chosen = Array.from({ length: 5000 }, (_, index) => choose({ 'x-canary-key': form.replace('%', String(index)) })).filter(({ isCanary }) => isCanary)

    expect(chosen.length / 50).toBeGreaterThan(8)
    expect(chosen.length / 50).toBeLessThan(12)
  })
})

describe('a caller', () => {
  it.each([0.05, 0.5])('with a cookie stays where it is, wherever chance would lead it: %d', (random) => {
    const first = choose({}, {}, random)
    const cookie = first.cookie?.split(';')[0] ?? ''

    for (const other of [0, 0.05, 0.099, 0.5, 0.999]) expect(choose({ Cookie: `a=b; ${cookie}; c=d` }, {}, other)).toEqual({ ...first, cookie: undefined })
  })

  it('with a key stays where it is, and needs no cookie', () => {
    for (const key of ['a', 'b', 'c', 'd']) {
      const sides = [0, 0.5, 0.999].map((random) => choose({ 'x-canary-key': key }, {}, random))

      expect(new Set(sides.map(({ isCanary }) => isCanary)).size).toBe(1)
      expect(sides.map(({ cookie }) => cookie)).toEqual([undefined, undefined, undefined])
    }
  })

  it('that has the canary keeps it while the share grows', () => {
    const keys = Array.from({ length: 500 }, (_, index) => ({ 'x-canary-key': `k${index}` }))
    const few = keys.filter((headers) => choose(headers, { percent: 10 }).isCanary)
    const more = new Set(keys.filter((headers) => choose(headers, { percent: 30 }).isCanary))

    expect(few.filter((headers) => !more.has(headers))).toEqual([])
    expect(more.size).toBeGreaterThan(few.length)
  })

  it('is given a new place when another version is the canary', () => {
    const cookie = choose({}, {}, 0.05).cookie?.split(';')[0] ?? ''

    expect(choose({ Cookie: cookie }, { version: 8 }, 0.5)).toMatchObject({ isCanary: false, cookie: expect.stringContaining('=8.5000;') as string })
  })

  it.each(['dotdo-canary-hello=7.', 'dotdo-canary-hello=7.99999', 'dotdo-canary-hello=7.-1', 'dotdo-canary-other=7.0', 'xdotdo-canary-hello=7.0'])(
    'gains nothing by a cookie that is not one: %s',
    (cookie) => {
      expect(choose({ Cookie: cookie }, {}, 0.5)).toMatchObject({ isCanary: false, cookie: expect.any(String) as string })
    },
  )

  it('with the canary’s header gets it, whatever else speaks against it', () => {
    expect(choose({ 'X-Try': '', Cookie: 'dotdo-canary-hello=7.9999', 'x-canary-key': 'b' }, { percent: 0 }, 0.999)).toMatchObject({ isCanary: true })
    expect(choose({ 'x-try': '1' }, { header: null, percent: 0 })).toMatchObject({ isCanary: false })
  })
})
