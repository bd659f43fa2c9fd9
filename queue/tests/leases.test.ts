import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startQueue, type QueueInProcess } from './in-process.ts'

let queue: QueueInProcess

beforeAll(async () => {
  queue = await startQueue()
})
beforeEach(() => queue.reset())
afterAll(() => queue.close())

const note = (name: string) => ({ type: 'db.upsert', payload: { $type: 'Note', $id: `note/${name}` } })

describe('cancelling', () => {
  it('ends a job that waits, at once and for good', async () => {
    const { id } = await queue.enqueue(note('a'))
    const cancelled = await queue.bound.cancelJob({ id }, queue.asker())
    await queue.drain()

    expect(cancelled).toMatchObject({ state: 'cancelled' })
    expect(await queue.job(id)).toMatchObject({ state: 'cancelled', attempts: 0 })
    await expect(queue.things.get({ id: 'note/a' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('leaves what ended as it is', async () => {
    const { id } = await queue.enqueue(note('a'))
    await queue.drain()

    expect(await queue.bound.cancelJob({ id }, queue.asker())).toMatchObject({ state: 'completed' })
  })

  it('asks a job that runs to end, and its runner hears of it', async () => {
    const { id } = await queue.enqueue(note('a'))
    await queue.claim([id], 'one')

    const asked = await queue.bound.cancelJob({ id }, queue.asker())

    expect(asked.state).toBe('running')
    expect(asked.cancelRequestedAt).toBeDefined()
    expect(await queue.beat([id], 'one')).toEqual({ lost: [], cancelled: [id] })
    expect(await queue.bound.reportProgress({ id, progress: { done: 1, total: 2 } }, queue.asker())).toEqual({ cancelRequested: true })
    await queue.settle([id], 'one', { state: 'cancelled' })
    expect(await queue.job(id)).toMatchObject({ state: 'cancelled', progress: { done: 1, total: 2 } })
  })

  it('keeps a job from beginning another attempt', async () => {
    const { id } = await queue.enqueue(note('a'))
    await queue.claim([id], 'one')
    await queue.bound.cancelJob({ id }, queue.asker())

    await queue.passes(61)
    await queue.drain()

    expect(await queue.job(id)).toMatchObject({ state: 'cancelled' })
    await expect(queue.things.get({ id: 'note/a' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('is schedule’s to do with what it enqueued, in a transaction of its own, and nobody else’s', async () => {
    const [own] = await queue.byService('schedule', [{ type: 'queue.cleanUpGenerations', origin: 'schedule/exec_1' }])
    const { id: other } = await queue.enqueue(note('a'))

    const answers = [await queue.cancelAs('schedule', own), await queue.cancelAs('schedule', other), await queue.cancelAs('db', own)]

    expect(answers.map((answer) => answer?.state)).toEqual(['cancelled', undefined, undefined])
    expect((await queue.job(other)).state).toBe('pending')
  })
})

describe('progress', () => {
  it('is told of a job that runs, and of no other', async () => {
    const { id } = await queue.enqueue(note('a'))

    await expect(queue.bound.reportProgress({ id, progress: { done: 1 } }, queue.asker())).rejects.toMatchObject({ code: 'CONFLICT' })
    await queue.claim([id], 'one')
    await queue.bound.reportProgress({ id, progress: { done: 1, message: 'half' } }, queue.asker())

    expect(await queue.job(id)).toMatchObject({ state: 'running', progress: { done: 1, message: 'half' } })
  })
})

describe('a lease', () => {
  it('that ends gives the job to another runner, and the attempt is not counted', async () => {
    const { id } = await queue.enqueue(note('a'))
    await queue.claim([id], 'lost')
    expect(await queue.claim([id], 'other')).toEqual([])

    await queue.passes(61)
    await queue.drain()

    expect(await queue.job(id)).toMatchObject({ state: 'completed', attempts: 1 })
  })

  it('is kept by a runner that is heard of', async () => {
    const { id } = await queue.enqueue(note('a'))
    await queue.claim([id], 'one')
    await queue.passes(50)
    await queue.beat([id], 'one')
    await queue.passes(50)

    expect(await queue.claim([id], 'other')).toEqual([])
    expect((await queue.job(id)).state).toBe('running')
  })

  it('that was lost lets its former runner say nothing more about the job', async () => {
    const { id } = await queue.enqueue(note('a'))
    await queue.claim([id], 'late')
    await queue.passes(61)
    await queue.claim([id], 'other')

    const { settled } = await queue.settle([id], 'late', { state: 'dead' })

    expect(settled).toEqual([])
    expect(await queue.beat([id], 'late')).toEqual({ lost: [id], cancelled: [] })
    expect((await queue.job(id)).state).toBe('running')
  })

  it('that is lost again and again ends in death', async () => {
    const { id } = await queue.enqueue(note('a'))
    for (let loss = 0; loss < 10; loss++) {
      await queue.claim([id], `runner ${loss}`)
      await queue.passes(61)
    }
    await queue.drain()

    expect(await queue.job(id)).toMatchObject({ state: 'dead', errors: [{ code: 'UNAVAILABLE' }] })
  })

  it('of a clock that was set back an hour is not waited for', async () => {
    const { id } = await queue.enqueue(note('a'))
    await queue.claim([id], 'lost')

    await queue.passes(-3600)
    await queue.passes(61)
    await queue.drain()

    expect((await queue.job(id)).state).toBe('completed')
  })

  it('is taken by one of many that ask at a time', async () => {
    const { id } = await queue.enqueue(note('a'))

    const claims = await Promise.all(Array.from({ length: 8 }, (_, runner) => queue.claim([id], `runner ${runner}`)))

    expect(claims.flat()).toEqual([id])
  })
})
