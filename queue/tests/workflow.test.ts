import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { owned } from '../../db/tests/in-process.ts'
import { startQueue, type QueueInProcess } from './in-process.ts'

let queue: QueueInProcess

beforeAll(async () => {
  queue = await startQueue()
})
beforeEach(() => queue.reset())
afterAll(() => queue.close())

const DAY = 86_400
const note = (name: string) => ({ name, type: 'db.upsert', payload: { $type: 'Note', $id: `note/${name}` } })
const begin = async (...steps: Record<string, unknown>[]) => (await queue.enqueue({ type: 'queue.workflow', payload: { steps } })).id
const stepsOf = async (id: string) => (await queue.bound.listJobs({ parent: id }, queue.asker())).items
const drained = (id: string) => queue.drain().then(() => queue.job(id))
const sleeps = () => owned(queue.db.database, 'select job, step from queue.sleeps')
const maintainer = () => queue.asService('operator', ['queue:maintain'])

/** Lets time pass in parts, and does what is due after each. */
async function pass(seconds: number, parts = 1): Promise<void> {
  for (let part = 0; part < parts; part++) {
    await queue.passes(seconds / parts)
    await queue.drain()
  }
}

describe('a workflow that sleeps', () => {
  it('does so for as long as it was told, however often it is looked at meanwhile, and no attempt counts', async () => {
    const id = await begin(note('before'), { name: 'nap', sleepSeconds: 30 * DAY }, note('after'))
    await queue.drain()

    // Somebody wakes it early.
    await queue.changeRow(id, `run_at = '2030-01-10T00:00:00Z'`)
    await pass(30 * DAY - 1, 10)
    const sleeping = await queue.job(id)
    await pass(2)

    expect(sleeping).toMatchObject({ state: 'delayed', attempts: 0, runAt: '2030-01-31T00:00:00.000Z', progress: { done: 1, total: 3, message: 'nap' } })
    expect(await queue.job(id)).toMatchObject({ state: 'completed', attempts: 1, result: { results: { after: { $id: 'note/after' } } } })
  })

  it('until a moment goes on at that moment, at once where it is over', async () => {
    const id = await begin({ name: 'past', sleepUntil: '2020-01-01T00:00:00Z' }, { name: 'date', sleepUntil: '2030-03-01T12:00:00Z' })

    const sleeping = await drained(id)
    await pass(60 * DAY)

    expect(sleeping).toMatchObject({ state: 'delayed', runAt: '2030-03-01T12:00:00.000Z' })
    expect(await queue.job(id)).toMatchObject({ state: 'completed', result: { results: {} } })
  })

  it('tells the Waker when it is to go on', async () => {
    await begin({ name: 'nap', sleepSeconds: 5 })

    await queue.drain()

    expect(queue.wakings).toContain('2030-01-01T00:00:05.000Z')
  })
})

describe('a workflow whose runner is lost', () => {
  it('goes on from where its steps are, without beginning any anew', async () => {
    const id = await begin(note('one'), { name: 'nap', sleepSeconds: 60 }, note('two'))
    await queue.drain()
    await queue.passes(60)
    await queue.claim([id], 'lost')
    await queue.changeRow(id, `lease_until = '2030-01-01T00:02:00Z'`)

    await pass(120)

    expect(await queue.job(id)).toMatchObject({ state: 'completed', attempts: 1 })
    expect((await stepsOf(id)).map(({ state, attempts }) => [state, attempts])).toEqual([
      ['completed', 1],
      ['completed', 1],
    ])
  })
})

describe('what steps answered', () => {
  it('is kept for as long as their workflow is, and goes with it', async () => {
    const id = await begin(
      note('one'),
      { name: 'nap', sleepSeconds: 300 * DAY },
      { ...note('two'), payload: { $type: 'Note', data: { one: { $result: 'one.$id' } } } },
    )
    await queue.drain()
    await queue.passes(299 * DAY)

    const early = await maintainer().cleanUpJobs({})
    await pass(2 * DAY)
    const done = await queue.job(id)
    await queue.passes(31 * DAY)
    const removed = [(await maintainer().cleanUpJobs({})).removed, (await maintainer().cleanUpJobs({})).removed]

    expect(early).toEqual({ removed: 0 })
    expect(done).toMatchObject({ state: 'completed', result: { results: { one: { $id: 'note/one' }, two: { data: { one: 'note/one' } } } } })
    expect(removed[0] ?? 0).toBeGreaterThan(0)
    expect(removed.reduce((sum, count) => sum + count)).toBe(3)
    expect(await sleeps()).toEqual([])
  })
})

describe('a workflow that failed', () => {
  it('begins the failed step once for each time that somebody retries it, and no other', async () => {
    const missing = { name: 'missing', type: 'db.update', payload: { id: 'note/late', content: 'x' }, maxAttempts: 1 }
    const id = await begin(note('one'), missing)
    await queue.drain()

    await pass(DAY, 5)
    const first = await queue.job(id)
    await queue.bound.retryJob({ id }, queue.asker())
    const second = await drained(id)

    expect(first).toMatchObject({ state: 'dead', attempts: 1, errors: [{ code: 'NOT_FOUND' }] })
    expect(second).toMatchObject({ state: 'dead', errors: [{ code: 'NOT_FOUND' }, { code: 'NOT_FOUND' }] })
    const [failed, one] = await stepsOf(id)
    expect([failed?.errors.length, one?.attempts]).toEqual([2, 1])
  })

  it('fails of a step that was cancelled', async () => {
    const id = await begin({ name: 'inner', type: 'queue.workflow', payload: { steps: [{ name: 'nap', sleepSeconds: DAY }] } })
    await queue.drain()
    const [inner] = await stepsOf(id)

    await queue.bound.cancelJob({ id: inner?.id ?? '' }, queue.asker())

    expect(await drained(id)).toMatchObject({ state: 'dead', errors: [{ code: 'CONFLICT', message: 'Step inner was cancelled' }] })
  })

  it('is not run but as a job', async () => {
    await expect(queue.bound.workflow({ steps: [{ name: 'nap', sleepSeconds: 1 }] }, queue.asker())).rejects.toMatchObject({ code: 'INVALID' })
  })
})
