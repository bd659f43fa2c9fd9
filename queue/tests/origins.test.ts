import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startQueue, type QueueInProcess } from './in-process.ts'

let queue: QueueInProcess

beforeAll(async () => {
  queue = await startQueue()
})
beforeEach(() => queue.reset())
afterAll(() => queue.close())

/** What schedule was told. */
let told: unknown[] = []
const EXECUTION = `exec_${'0'.repeat(26)}`

beforeEach(() => {
  told = []
  queue.tellSchedule((input) => told.push(input))
})

const enqueue = (about: object) => queue.byService('schedule', [{ type: 'queue.cleanUpGenerations', origin: `schedule/${EXECUTION}`, ...about }])

describe('schedule', () => {
  it('is told what became of a job that it enqueued, once', async () => {
    const [job] = await enqueue({})
    await queue.drain()
    await queue.tellForgotten()

    expect(told).toEqual([{ id: EXECUTION, job, state: 'completed', result: { removed: 0 }, error: null }])
  })

  it('is told of death with the last error, and not before', async () => {
    const [job] = await enqueue({ type: 'db.upsert', payload: {}, maxAttempts: 1 })
    await queue.drain()

    expect(told).toMatchObject([{ id: EXECUTION, job, state: 'dead', error: { code: 'FORBIDDEN', attempt: 1 } }])
  })

  it('is told of a cancelled one', async () => {
    const [job] = await enqueue({})
    await queue.bound.cancelJob({ id: job }, queue.asker())

    expect(told).toEqual([{ id: EXECUTION, job, state: 'cancelled', error: null }])
  })

  it('is told later when it cannot be told at once', async () => {
    const [job] = await enqueue({})
    queue.tellSchedule(() => {
      throw Object.assign(new Error('schedule is down'), { code: 'UNAVAILABLE' })
    })
    await queue.drain()

    queue.tellSchedule((input) => told.push(input))
    await queue.tellForgotten()

    expect(told).toMatchObject([{ job, state: 'completed' }])
  })

  it('is not told again of what it knows nothing of', async () => {
    await enqueue({})
    queue.tellSchedule(() => {
      throw Object.assign(new Error('No execution'), { code: 'NOT_FOUND' })
    })
    await queue.drain()

    queue.tellSchedule((input) => told.push(input))
    await queue.tellForgotten()

    expect(told).toEqual([])
  })
})
