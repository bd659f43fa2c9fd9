import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { equalConstantTime } from '../src/constant-time.ts'
import { generateId } from '../src/id.ts'
import { BoundedCache } from '../src/lru.ts'
import { isThingId } from '../src/thing-id.ts'

describe('generateId', () => {
  it('makes ids of one shape, none twice', () => {
    const ids = Array.from({ length: 5000 }, () => generateId('note'))

    expect(ids.filter((id) => !/^note_[0-9a-hjkmnp-tv-z]{26}$/.test(id))).toEqual([])
    expect(new Set(ids).size).toBe(5000)
  })
})

describe('equalConstantTime', () => {
  it('agrees with ===', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'ü'), maxLength: 3 })

    fc.assert(
      fc.property(text, text, (a, b) => equalConstantTime(a, b) === (a === b)),
      { numRuns: 1000 },
    )
  })
})

describe('BoundedCache', () => {
  it('forgets an entry when its time is over, however often it was read', () => {
    let now = 0
    const cache = new BoundedCache<string, number>({ maxEntries: 10, ttlMs: 100, now: () => now })
    cache.set('a', 1)

    now = 99
    const before = cache.get('a')
    now = 100
    const after = cache.get('a')

    expect([before, after, cache.size]).toEqual([1, undefined, 0])
  })

  it('pushes out the entry unused for longest', () => {
    const cache = new BoundedCache<string, number>({ maxEntries: 2, ttlMs: 100, now: () => 0 })
    cache.set('a', 1)
    cache.set('b', 2)
    cache.get('a')

    cache.set('c', 3)

    expect([cache.get('a'), cache.get('b'), cache.get('c'), cache.size]).toEqual([1, undefined, 3, 2])
  })

  it('forgets on request', () => {
    const cache = new BoundedCache<string, number>({ maxEntries: 2, ttlMs: 100, now: () => 0 })
    cache.set('a', 1)

    expect([cache.delete('a'), cache.delete('a'), cache.get('a')]).toEqual([true, false, undefined])
  })

  it('never holds more than its bound', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20)), (keys) => {
        const cache = new BoundedCache<number, number>({ maxEntries: 5, ttlMs: 100, now: () => 0 })
        keys.forEach((key) => cache.set(key, key))
        return cache.size === Math.min(5, new Set(keys).size)
      }),
    )
  })
})

describe('isThingId', () => {
  it.each(['a', 'note/hello', 'note/2026/hello.world_1~2', '...', '.a/b.', 'a'.repeat(512)])('accepts %j', (id) => {
    expect(isThingId(id)).toBe(true)
  })

  it.each(['', '/', 'a/', '/a', 'a//b', '.', '..', 'a/../b', './a', 'a/.', 'a/..', 'a b', 'a@b', 'a*', 'A::B', 'ü', 'a\n', 'a%2f', 'a\u0000', 'a'.repeat(513)])(
    'refuses %j',
    (id) => {
      expect(isThingId(id)).toBe(false)
    },
  )
})
