import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startQueue, type QueueInProcess } from './in-process.ts'

let queue: QueueInProcess

beforeAll(async () => {
  queue = await startQueue()
})
beforeEach(() => queue.reset())
afterAll(() => queue.close())

const note = (name: string) => ({ type: 'db.upsert', payload: { $type: 'Note', $id: `note/${name}`, content: 'Hi' } })

describe('a job', () => {
  it('has its effect, and shows what came of it', async () => {
    const enqueued = await queue.enqueue(note('one'))
    await queue.drain()

    expect(enqueued).toMatchObject({ state: 'pending', attempts: 0, maxAttempts: 3, priority: 5, created: true, createdBy: queue.key.id })
    expect(await queue.job(enqueued.id)).toMatchObject({
      state: 'completed',
      attempts: 1,
      errors: [],
      payload: { $id: 'note/one' },
      result: { $id: 'note/one' },
    })
    expect(await queue.things.get({ id: 'note/one' })).toMatchObject({ content: 'Hi' })
  })

  it('goes by the name of the operation it is, whatever it was asked for as', async () => {
    expect(await queue.enqueue({ type: 'generate-embedding', payload: { id: 'note/one' } })).toMatchObject({ type: 'db.embed' })
  })

  it('may only do what whoever enqueued it may do when it runs', async () => {
    const { id } = await queue.enqueue(note('one'))
    await queue.keys.revokeKey({ id: queue.key.id })
    await queue.drain()

    expect(await queue.job(id)).toMatchObject({ state: 'dead', attempts: 1, errors: [{ code: 'FORBIDDEN', message: 'Who enqueued the job was revoked' }] })
    await expect(queue.things.get({ id: 'note/one' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('of a service may do what the configuration grants that service', async () => {
    const [granted, refused = ''] = await queue.byService('schedule', [{ type: 'queue.cleanUpGenerations' }, { type: 'db.upsert', payload: { $type: 'Note' } }])
    await queue.drain()

    expect(await queue.job(granted)).toMatchObject({ state: 'completed', result: { removed: 0 } })
    expect(await queue.job(refused)).toMatchObject({
      state: 'dead',
      errors: [{ code: 'FORBIDDEN', message: 'schedule has no db.upsert done in its own name' }],
    })
  })

  it('lies in the lane of its priority', async () => {
    const ids = await Promise.all([9, 7, 6, 3, 2, 0].map(async (priority) => (await queue.enqueue({ ...note(String(priority)), priority })).id))

    expect(Object.values(queue.lanes).map((hints) => hints.flatMap(({ jobs }) => jobs))).toEqual([ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)])
  })

  it('with a payload or a result past 128 KiB keeps it in R2', async () => {
    const content = 'x'.repeat(200_000)
    const { id, payloadBytes } = await queue.enqueue({ type: 'db.upsert', payload: { $type: 'Note', $id: 'note/large', content } })
    await queue.drain()

    const job = await queue.job(id)
    expect([...queue.objects.keys()]).toEqual([`payloads/${id}`, `results/${id}`])
    expect(payloadBytes).toBeGreaterThan(200_000)
    expect(job).toMatchObject({ state: 'completed', payload: { content }, result: { content } })
  })

  it('waits for its time, and is woken then', async () => {
    const { id, state, runAt } = await queue.enqueue({ ...note('later'), delaySeconds: 3 * 86_400 })
    await queue.drain()
    expect([state, queue.wakings]).toEqual(['delayed', [runAt]])
    expect((await queue.job(id)).state).toBe('delayed')

    await queue.passes(3 * 86_400)
    await queue.drain()

    expect((await queue.job(id)).state).toBe('completed')
  })

  it('is found when no hint of it ever came', async () => {
    const { id } = await queue.enqueue(note('lost'))
    queue.lanes['jobs-normal'].length = 0

    await queue.passes(60)
    await queue.drain()

    expect((await queue.job(id)).state).toBe('completed')
  })

  it('is looked at twice without being done twice', async () => {
    const { id } = await queue.enqueue(note('twice'))
    queue.lanes['jobs-normal'].push({ jobs: [id, id] }, { jobs: [id, 'job_nothing'] })

    await queue.drain()

    expect(await queue.job(id)).toMatchObject({ state: 'completed', attempts: 1 })
  })
})

describe('a unique key', () => {
  it('gives whoever asks again the job that has it, until that has ended', async () => {
    const first = await queue.enqueue({ ...note('a'), uniqueKey: 'key' })
    const second = await queue.enqueue({ ...note('b'), uniqueKey: 'key' })
    await queue.drain()
    const third = await queue.enqueue({ ...note('c'), uniqueKey: 'key' })

    expect(second).toEqual({ ...first, created: false })
    expect(third).toMatchObject({ created: true })
    expect(third.id).not.toBe(first.id)
  })

  it('is taken for as long as it was asked for, also past the end', async () => {
    const first = await queue.enqueue({ ...note('a'), uniqueKey: 'key', uniqueForSeconds: 60 })
    await queue.drain()
    const within = await queue.enqueue({ ...note('a'), uniqueKey: 'key' })
    await queue.passes(61)
    const after = await queue.enqueue({ ...note('a'), uniqueKey: 'key' })

    expect([within.id, within.created, after.created]).toEqual([first.id, false, true])
  })

  it('is one job’s among those asked for at once, in a batch and apart', async () => {
    const job = { ...note('a'), uniqueKey: 'key' }
    const { jobs } = await queue.bound.enqueueBatch({ jobs: [job, job, note('b')] }, queue.asker())
    const apart = await Promise.all(Array.from({ length: 8 }, () => queue.enqueue({ ...note('c'), uniqueKey: 'other' })))

    expect(jobs.map(({ created }) => created)).toEqual([true, false, true])
    expect(jobs[1]?.id).toBe(jobs[0]?.id)
    expect(new Set(apart.map(({ id }) => id)).size).toBe(1)
    expect(apart.filter(({ created }) => created)).toHaveLength(1)
  })
})

describe('enqueueing with an Idempotency-Key', () => {
  it('makes one job, and answers the same again', async () => {
    const keyed = { ...queue.asker(), idempotencyKey: 'once' }
    const first = await queue.bound.enqueue(note('a'), keyed)
    const second = await queue.bound.enqueue(note('a'), keyed)

    expect(second).toEqual(first)
    expect((await queue.bound.listJobs({}, queue.asker())).items).toHaveLength(1)
  })
})
