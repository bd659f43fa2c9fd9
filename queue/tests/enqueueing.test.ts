import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startQueue, type QueueInProcess } from './in-process.ts'

let queue: QueueInProcess

beforeAll(async () => {
  queue = await startQueue()
})
beforeEach(() => queue.reset())
afterAll(() => queue.close())

const type = 'db.upsert'
const payload = { $type: 'Note' }

describe('enqueueing refuses', () => {
  it.each([
    ['a type that nothing does', { type: 'db.nothing' }, 'type'],
    ['a type of a service that is not there', { type: 'send-email', payload: { to: 'a@b.c' } }, 'type'],
    ['a query', { type: 'db.get', payload: { id: 'a' } }, 'type'],
    ['a name that every object has', { type: 'constructor' }, 'type'],
    ['a payload without what the operation needs', { type, payload: {} }, 'payload.$type'],
    ['a payload with what the operation does not know', { type, payload: { ...payload, colour: 'red' } }, 'payload.colour'],
    ['a time in the past', { type, payload, runAt: '2029-12-31T23:58:00.000Z' }, 'runAt'],
    ['a time more than five years ahead', { type, payload, runAt: '2035-06-01T00:00:00.000Z' }, 'runAt'],
    ['two times', { type, payload, runAt: '2030-01-02T00:00:00.000Z', delaySeconds: 5 }, 'delaySeconds'],
    ['a concurrency of no group', { type, payload, groupConcurrency: 2 }, 'groupConcurrency'],
    ['how long a key is taken without a key', { type, payload, uniqueForSeconds: 2 }, 'uniqueForSeconds'],
    ['a priority past 9', { type, payload, priority: 10 }, 'priority'],
  ])('%s', async (_name, job, path) => {
    await expect(queue.enqueue(job)).rejects.toMatchObject({ code: 'INVALID', details: [{ path }] })
    expect((await queue.bound.stats({}, queue.asker())).states.pending).toBe(0)
  })

  it('all of a batch for one job in it, and says which', async () => {
    const batch = queue.bound.enqueueBatch(
      {
        jobs: [
          { type, payload },
          { type, payload: {} },
        ],
      },
      queue.asker(),
    )

    await expect(batch).rejects.toMatchObject({ code: 'INVALID', details: [{ path: 'jobs.1.payload.$type' }] })
    expect((await queue.bound.listJobs({}, queue.asker())).items).toEqual([])
  })

  it('a payload past 10 MiB, and leaves nothing of it', async () => {
    const data = { text: 'x'.repeat(10 * 1_048_576) }

    await expect(
      queue.enqueue({ type: 'auth.applyDirectoryEvent', payload: { id: 'a', event: 'dsync.user.created', createdAt: '2030-01-01T00:00:00.000Z', data } }),
    ).rejects.toMatchObject({
      code: 'TOO_LARGE',
      details: [{ path: 'payload' }],
    })
    expect(queue.objects.size).toBe(0)
  })

  it('whoever may enqueue but not do what the job does', async () => {
    const asker = queue.asker({ permissions: ['jobs:write', 'things:read'] })

    await expect(queue.bound.enqueue({ type, payload }, asker)).rejects.toMatchObject({ code: 'FORBIDDEN', message: 'This needs the permission things:write' })
    await expect(queue.bound.enqueue({ type, payload: {} }, asker)).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })

  it('a service that nobody granted it', async () => {
    await expect(queue.asService('stranger', ['jobs:write', 'things:write']).enqueue({ type, payload })).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })

  it('another namespace to whoever lacks everything', async () => {
    const asker = queue.asker({ permissions: ['jobs:write', 'things:write'] })

    await expect(queue.bound.enqueue({ type, payload, ns: 'acme' }, asker)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await queue.enqueue({ type, payload, ns: 'acme' })).toMatchObject({ ns: 'acme' })
  })
})

describe('enqueueing by SQL', () => {
  it.each([
    ['as somebody else', { principal: { id: 'user_1', kind: 'user', tenant: 'default' } }],
    ['for whoever is told of the end', { origin: 'schedule/exec_1' }],
    ['into another namespace', { ns: 'acme' }],
  ])('is refused to a service %s', async (_name, more) => {
    await expect(queue.byService('db', [{ type, payload, ...more }])).rejects.toMatchObject({ code: '42501' })
  })

  it('happens with the rest of a transaction, or not at all', async () => {
    const { statement } = queue.statementOf([{ type, payload }])

    await expect(queue.db.database.execute('db')([statement, { sql: 'select 1 / 0', params: [] }])).rejects.toThrow('division by zero')

    expect((await queue.bound.stats({}, queue.asker())).states.pending).toBe(0)
  })

  it('is all that another service may do to jobs', async () => {
    await queue.enqueue({ type, payload })

    for (const sql of [
      'select * from queue.jobs',
      'delete from queue.jobs',
      `select queue.turn('[]', '{}', 'me', now(), now())`,
      `select queue.wake(now(), 1)`,
    ])
      await expect(queue.db.database.execute('db')([{ sql, params: [] }])).rejects.toMatchObject({ code: '42501' })
  })
})
