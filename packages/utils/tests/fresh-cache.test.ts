import { describe, expect, it } from 'vitest'
import { FreshCache } from '../src/fresh-cache.ts'

/** A cache whose clock a test sets, and something to ask that counts how often it was. */
function setUp(options: { keepOnError?: boolean } = {}) {
  const state = { now: 0, asked: 0, fails: false, gate: Promise.resolve() }
  const cache = new FreshCache<number>({ maxEntries: 2, freshMs: 250, staleMs: 750, now: () => state.now, ...options })
  const deferred: Promise<unknown>[] = []
  const ask = async () => {
    const mine = ++state.asked
    const { fails } = state
    await state.gate
    if (fails) throw new Error('cannot be had')
    return mine
  }
  return { state, deferred, cache, get: (key = 'a') => cache.get(key, ask, (promise) => deferred.push(promise)) }
}

describe('a fresh cache', () => {
  it('answers without asking while what it has is fresh', async () => {
    const { state, get } = setUp()

    expect(await get()).toBe(1)
    state.now = 249
    expect(await get()).toBe(1)
    expect(state.asked).toBe(1)
  })

  it('serves what it has while it asks anew in the background', async () => {
    const { state, deferred, get } = setUp()
    await get()

    state.now = 749
    expect(await get()).toBe(1)
    await Promise.all(deferred)

    expect(await get()).toBe(2)
  })

  it('serves nothing that is older', async () => {
    const { state, get } = setUp()
    await get()

    state.now = 750

    expect(await get()).toBe(2)
  })

  it('counts age from the question, not from the answer', async () => {
    const { state, get } = setUp()
    const gate = Promise.withResolvers<void>()
    state.gate = gate.promise

    const slow = get()
    state.now = 700
    gate.resolve()
    await slow
    state.now = 760

    expect(await get()).toBe(2)
  })

  it('asks once, however many want to know', async () => {
    const { state, deferred, get } = setUp()
    const gate = Promise.withResolvers<void>()
    state.gate = gate.promise

    const answers = Promise.all([get(), get(), get()])
    gate.resolve()

    expect(await answers).toEqual([1, 1, 1])
    expect([state.asked, deferred.length]).toEqual([1, 1])
  })

  it('does not take for new what was asked before it was told to forget', async () => {
    const { state, cache, get } = setUp()
    const gate = Promise.withResolvers<void>()
    state.gate = gate.promise
    const before = get()

    cache.forget('a')
    state.gate = Promise.resolve()
    const after = await get()
    gate.resolve()

    expect([after, await before, await get()]).toEqual([2, 1, 2])
  })

  it('fails when it cannot be told, and asks again the next time', async () => {
    const { state, get } = setUp()
    state.fails = true
    await expect(get()).rejects.toThrow('cannot be had')

    state.fails = false

    expect(await get()).toBe(2)
  })

  it('keeps what it had when nothing newer can be had, if it may', async () => {
    const { state, get } = setUp({ keepOnError: true })
    await get()

    state.now = 10_000
    state.fails = true

    expect(await get()).toBe(1)
  })

  it('holds as many as it may', async () => {
    const { state, get } = setUp()

    for (const key of ['a', 'b', 'c', 'a']) await get(key)

    expect(state.asked).toBe(4)
  })
})
