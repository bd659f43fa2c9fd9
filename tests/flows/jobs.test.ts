import { describe, expect, it } from 'vitest'
import { admin, ask, makeKey, rpc, unique } from './client.ts'
import { enqueued, inState } from './jobs.ts'

const PERMISSIONS = ['jobs:write', 'jobs:read', 'things:write', 'things:read']

/** A key in a tenant of its own that may enqueue and do. */
const makeAsker = () => makeKey({ tenant: unique('jobs'), permissions: PERMISSIONS })

const note = ($id: string, content = 'Hi') => ({ type: 'db.upsert', payload: { $type: 'Note', $id, content } })

describe('a job', () => {
  it('is accepted at once, and then done by the service whose operation it names', async () => {
    const { key, id } = await makeAsker()
    const $id = unique('note')

    const { status, data } = await ask('/queue/jobs', { key, body: note($id) })
    const job = await inState(key, String(data['id']), 'completed')

    expect([status, data]).toMatchObject([201, { state: 'pending', attempts: 0, created: true, createdBy: id }])
    expect(job).toMatchObject({ attempts: 1, errors: [], result: { $id, content: 'Hi' } })
    expect((await ask(`/db/things/${$id}`, { key })).data).toMatchObject({ content: 'Hi' })
  })

  it('is done once, however often it is asked for with the same Idempotency-Key', async () => {
    const { key } = await makeAsker()
    const asked = { key, body: note(unique('note')), headers: { 'idempotency-key': unique('key') } }

    const [first, second] = [await ask('/queue/jobs', asked), await ask('/queue/jobs', asked)]

    expect(second.data).toEqual(first.data)
    await inState(key, String(first.data['id']), 'completed')
    expect((await ask('/queue/stats', { key })).data['states']).toMatchObject({ completed: 1, pending: 0 })
  })

  it('waits for its time, also when another was told to wait for longer before', async () => {
    const { key } = await makeAsker()
    const later = await enqueued(key, { ...note(unique('note')), delaySeconds: 3 * 86_400 })
    const soon = await enqueued(key, { ...note(unique('note')), delaySeconds: 1 })

    const done = await inState(key, soon, 'completed')

    expect(Date.parse(String(done['startedAt'])) - Date.parse(String(done['createdAt']))).toBeGreaterThanOrEqual(1000)
    expect((await ask(`/queue/jobs/${later}`, { key })).data).toMatchObject({ state: 'delayed' })
    expect((await ask(`/queue/jobs/${later}`, { key, method: 'DELETE' })).data).toMatchObject({ state: 'cancelled' })
  })

  it('takes what is past 128 KiB', async () => {
    const { key } = await makeAsker()
    const content = 'x'.repeat(500_000)
    const id = await enqueued(key, note(unique('note'), content))

    const job = await inState(key, id, 'completed')

    expect(job['payload']?.['content']).toBe(content)
    expect(job['result']?.['content']).toBe(content)
  })

  it('of every priority and of a batch is done', async () => {
    const { key } = await makeAsker()
    const jobs = Array.from({ length: 100 }, (_, index) => ({ ...note(unique('note')), priority: index % 10 }))

    const { status, data } = await ask('/queue/jobs/batch', { key, body: { jobs } })

    expect(status).toBe(201)
    for (const { id } of data['jobs'] as unknown as { id: string }[]) await inState(key, id, 'completed')
  })

  it('that another service enqueued in a transaction of its own is done as what the configuration grants that service', async () => {
    const id = `job_${Array.from({ length: 26 }, () => '0123456789abcdefghjkmnpqrstvwxyz'.charAt(Math.random() * 32)).join('')}`
    const element = { id, type: 'queue.cleanUpGenerations', createdAt: new Date(Date.now() - 20_000).toISOString() }

    const { error } = await rpc('DB_AS_SCHEDULE', 'execute', { statements: [{ sql: 'select queue.enqueue($1::jsonb)', params: [JSON.stringify(element)] }] })
    // What nobody wakes is found within a minute. Settling a type wakes its jobs, so that nobody waits here.
    await admin('/queue/types/queue.cleanUpGenerations', { method: 'PATCH', body: { concurrency: null } })

    expect(error).toBeUndefined()
    expect((await admin('/queue/jobs?type=queue.cleanUpGenerations')).data['items']).toEqual(expect.arrayContaining([expect.objectContaining({ id })]))
    await inState((await makeKey({ permissions: ['*'] })).key, id, 'completed')
  })
})

describe('a batch that has one bad job', () => {
  it('is refused as a whole, and says which', async () => {
    const { key } = await makeAsker()

    const { status, error } = await ask('/queue/jobs/batch', { key, body: { jobs: [note(unique('note')), { type: 'db.nothing' }] } })

    expect([status, error['code'], error['details']]).toMatchObject([400, 'INVALID', [{ path: 'jobs.1.type' }]])
    expect((await ask('/queue/jobs', { key })).data['items']).toEqual([])
  })
})
