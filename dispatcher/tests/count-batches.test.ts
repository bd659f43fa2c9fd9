import { describe, expect, it } from 'vitest'
import { CountBatches, type Counts } from '../src/count-batches.ts'

/** Counts whose clock and waits a test moves. */
function setUp(options: { maxNames?: number } = {}) {
  const state = { now: 10_000, fails: false }
  const waits: { until: number; end: () => void }[] = []
  const sent: Counts[] = []
  const wait = (ms: number) => new Promise<void>((resolve) => waits.push({ until: state.now + ms, end: resolve }))
  const batches = new CountBatches({ wait, now: () => state.now, ...options })
  const send = async (counts: Counts) => {
    if (state.fails) throw new Error('cannot be told')
    sent.push(counts)
  }
  return {
    state,
    sent,
    add: (isError = false, name = 'a') => batches.add(name, isError, send),
    /** Lets time pass, and everything go on that waited for it. */
    async pass(ms: number) {
      await settle()
      state.now += ms
      for (const { end } of waits.filter(({ until }) => until <= state.now)) end()
      await settle()
    },
  }
}

/** Lets everything run that waits for nothing. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve()
}

describe('counts', () => {
  it('are told at once the first time, then a second apart and together', async () => {
    const { sent, add, pass } = setUp()
    await add()
    for (let count = 0; count < 5; count++) void add()

    await pass(999)
    expect(sent).toEqual([{ requests: 1, errors: 0 }])
    await pass(1)

    expect(sent).toEqual([
      { requests: 1, errors: 0 },
      { requests: 5, errors: 0 },
    ])
  })

  it('are told sooner when there is an error, also if a report waits already', async () => {
    const { sent, add, pass } = setUp()
    await add()
    void add()
    await pass(200)

    void add(true)
    await pass(0)

    expect(sent.at(-1)).toEqual({ requests: 2, errors: 1 })
  })

  it('of many errors are told ten times a second', async () => {
    const { sent, add, pass } = setUp()
    await add(true)
    for (let count = 0; count < 7; count++) void add(true)

    await pass(99)
    expect(sent).toHaveLength(1)
    await pass(1)

    expect(sent).toEqual([
      { requests: 1, errors: 1 },
      { requests: 7, errors: 7 },
    ])
  })

  it('that could not be told are told with the next', async () => {
    const { state, sent, add, pass } = setUp()
    state.fails = true
    await expect(add(true)).rejects.toThrow('cannot be told')

    state.fails = false
    await pass(1_000)
    await add()

    expect(sent).toEqual([{ requests: 2, errors: 1 }])
  })

  it('go on when the request that was to tell them was cut off', async () => {
    const { state, sent, add } = setUp()
    await add()
    expect(add()).toBeDefined()
    expect(add()).toBeUndefined()

    state.now += 10_000 // without an end to the wait
    await add()

    expect(sent).toEqual([
      { requests: 1, errors: 0 },
      { requests: 3, errors: 0 },
    ])
  })

  it('of one name do not wait for another’s', async () => {
    const { sent, add } = setUp()

    await Promise.all([add(false, 'a'), add(false, 'b')])

    expect(sent).toHaveLength(2)
  })
})
