import { env } from 'cloudflare:workers'
import { describe, expect, it, vi } from 'vitest'
import type { Kept } from '../../src/slot.ts'

const sha = (digit: string) => digit.repeat(64)

/** The object of a worker of its own for each test. */
let count = 0
const newPointer = () => env.Pointers.getByName(`acme/hello-${++count}`)

type Pointer = ReturnType<typeof newPointer>

const version = (number: number): Omit<Kept, 'keptSince'> => ({
  version: number,
  namespace: 'dotdo-production',
  script: `s--v${number}`,
  access: 'public',
  branch: null,
})

async function publish(pointer: Pointer, ...numbers: number[]): Promise<void> {
  for (const number of numbers) {
    await pointer.keep('production', version(number))
    await pointer.activate('production', number)
  }
}

const live = async (pointer: Pointer) => (await pointer.read()).slots.find(({ environment }) => environment === 'production')?.live

describe('a version number', () => {
  it('is given to a content for good, and never twice', async () => {
    const pointer = newPointer()

    const numbers = await Promise.all(['a', 'b', 'a', 'c', 'b'].map((digit) => pointer.reserve(sha(digit))))

    expect(numbers).toEqual([1, 2, 1, 3, 2])
    await publish(pointer, 3)
    await pointer.keep('production', version(2))
    await pointer.drop('production', [1, 2, 3])
    expect([await pointer.reserve(sha('b')), await pointer.reserve(sha('d'))]).toEqual([2, 4])
    expect((await pointer.read()).reserved).toMatchObject({ version: 4, atMs: expect.any(Number) as number })
  })
})

describe('an object', () => {
  it('knows nothing of a worker that nobody published', async () => {
    expect(await newPointer().read()).toEqual({ slots: [], reserved: null })
  })

  it('keeps environments apart', async () => {
    const pointer = newPointer()
    await publish(pointer, 1)

    await pointer.keep('staging', version(2))
    await pointer.activate('staging', 2)

    expect((await pointer.read()).slots.map(({ environment, live }) => [environment, live])).toEqual([
      ['production', 1],
      ['staging', 2],
    ])
  })

  it('refuses what cannot be, with a code that its caller can read, and changes nothing', async () => {
    const pointer = newPointer()
    await publish(pointer, 1)

    const refused = async () => pointer.activate('production', 2)

    await expect(refused()).rejects.toMatchObject({ code: 'NOT_FOUND', details: [{ path: 'version', message: 'is not kept there' }] })
    expect(await live(pointer)).toBe(1)
  })
})

describe('a rollback', () => {
  it('goes no further back by being attempted again, whatever happened meanwhile', async () => {
    const pointer = newPointer()
    await publish(pointer, 1, 2, 3)

    const first = await pointer.rollback('production', 'one')
    const again = await pointer.rollback('production', 'one')
    expect(await live(pointer)).toBe(2)
    const second = await pointer.rollback('production', 'two')
    const later = await pointer.rollback('production', 'one')

    expect(first).toMatchObject({ from: 3, to: 2, slot: { live: 2, former: [1] } })
    expect(again).toEqual(first)
    expect(later).toEqual(first)
    expect(second).toMatchObject({ from: 2, to: 1 })
    expect(await live(pointer)).toBe(1)
  })

  it('that was refused may be attempted again', async () => {
    const pointer = newPointer()
    await publish(pointer, 1)
    const rollback = async () => pointer.rollback('production', 'one')
    await expect(rollback()).rejects.toMatchObject({ code: 'CONFLICT' })

    await publish(pointer, 2)

    expect(await rollback()).toMatchObject({ from: 2, to: 1 })
  })

  it('is remembered for the last two hundred attempts', async () => {
    const pointer = newPointer()
    await publish(pointer, ...Array.from({ length: 3 }, (_, index) => index + 1))
    const first = await pointer.rollback('production', 'first')

    for (let attempt = 0; attempt < 199; attempt++) await pointer.rollback('production', `more-${attempt}`, attempt % 2 === 0 ? 3 : 2)
    expect(await pointer.rollback('production', 'first')).toEqual(first)
    await pointer.rollback('production', 'one too many', 3)

    expect(await pointer.rollback('production', 'first', 1)).toMatchObject({ to: 1 })
  })
})

describe('a canary', () => {
  const wish = { version: 1, percent: 10, steps: [] }

  it('grows by itself until it is live', async () => {
    const pointer = newPointer()
    await publish(pointer, 1, 2)

    const started = await pointer.setCanary('production', {
      ...wish,
      steps: [
        { percent: 50, afterSeconds: 1 },
        { percent: 100, afterSeconds: 2 },
      ],
    })

    expect(started.canary).toMatchObject({ version: 1, percent: 10 })
    await vi.waitFor(async () => expect((await pointer.read()).slots[0]?.canary).toMatchObject({ percent: 50 }), { timeout: 10_000, interval: 50 })
    await vi.waitFor(async () => expect((await pointer.read()).slots[0]).toMatchObject({ live: 1, canary: null, former: [2, 1] }), {
      timeout: 10_000,
      interval: 50,
    })
  })

  it('gives up by itself, and does not grow after that', async () => {
    const pointer = newPointer()
    await publish(pointer, 1, 2)
    const steps = [{ percent: 100, afterSeconds: 1 }]
    const { canary } = await pointer.setCanary('production', { ...wish, steps, abortOn: { errorRate: 0.5, minRequests: 10 } })

    const told = await pointer.count('production', { version: 1, startedAt: canary?.startedAt ?? '', requests: 10, errors: 6 })
    await pointer.keep('staging', version(1))
    await pointer.activate('staging', 1)
    await pointer.keep('staging', version(2))
    await pointer.setCanary('staging', { version: 2, percent: 0, steps })

    expect(told).toMatchObject({ canary: null, live: 2, abortedCanary: { version: 1, reason: '6 of 10 requests failed, more than 50 %' } })
    // By the time that staging's canary is live, production's step would have come to pass too.
    await vi.waitFor(async () => expect((await pointer.read()).slots[1]).toMatchObject({ live: 2 }), { timeout: 10_000, interval: 50 })
    expect(await live(pointer)).toBe(2)
  })
})
