import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startQueue, type QueueInProcess } from './in-process.ts'

let queue: QueueInProcess

beforeAll(async () => {
  queue = await startQueue()
})
beforeEach(() => queue.reset())
afterAll(() => queue.close())

const note = (name: string, about: object = {}) => ({ type: 'db.upsert', payload: { $type: 'Note', $id: `note/${name}` }, ...about })
const fail = (about: object = {}) => ({ type: 'db.restore', payload: { id: 'no/such', version: 1 }, maxAttempts: 1, ...about })

describe('listing jobs', () => {
  it('shows them newest first, page by page, without what they were given', async () => {
    const ids: string[] = []
    for (const name of ['a', 'b', 'c', 'd', 'e']) ids.push((await queue.enqueue(note(name))).id)

    const seen: string[] = []
    let cursor: string | null | undefined
    do {
      const page: { items: { id: string }[]; nextCursor: string | null } = await queue.bound.listJobs({ limit: 2, ...(cursor && { cursor }) }, queue.asker())
      seen.push(...page.items.map(({ id }) => id))
      expect(page.items.every((job) => !('payload' in job))).toBe(true)
      cursor = page.nextCursor
    } while (cursor)

    expect(seen).toEqual(ids.toReversed())
  })

  it.each([
    ['state', { state: 'dead' }, ['dead']],
    ['type', { type: 'db.restore' }, ['dead']],
    ['another name of a type', { type: 'generate-embedding' }, ['embed']],
    ['group', { group: 'g' }, ['grouped']],
    ['unique key', { uniqueKey: 'u' }, ['unique']],
    ['priority', { priority: 9 }, ['urgent']],
    ['error', { errorCode: 'NOT_FOUND' }, ['dead']],
    ['time', { createdAfter: '2030-01-01T00:00:30.000Z' }, ['late']],
    ['time before', { createdBefore: '2030-01-01T00:00:30.000Z', state: 'delayed' }, ['delayed']],
    ['who enqueued it: nobody else', { createdBy: 'user_other' }, []],
  ] as const)('finds them by %s', async (_name, wanted, names) => {
    const dead = await queue.enqueue(fail())
    await queue.drain()
    const jobs: Record<string, string> = { dead: dead.id }
    jobs['embed'] = (await queue.enqueue({ type: 'db.embed', payload: { id: 'a' } })).id
    jobs['grouped'] = (await queue.enqueue(note('a', { group: 'g' }))).id
    jobs['unique'] = (await queue.enqueue(note('a', { uniqueKey: 'u' }))).id
    jobs['urgent'] = (await queue.enqueue(note('a', { priority: 9 }))).id
    jobs['delayed'] = (await queue.enqueue(note('a', { delaySeconds: 3600 }))).id
    await queue.passes(60)
    jobs['late'] = (await queue.enqueue(note('a'))).id

    const { items } = await queue.bound.listJobs(wanted, queue.asker())

    expect(items.map(({ id }) => id)).toEqual(names.map((name) => jobs[name]))
  })

  it('shows another namespace’s to nobody but who may do everything', async () => {
    const { id } = await queue.enqueue(note('a'))
    const stranger = queue.asker({ tenant: 'acme', permissions: ['jobs:read', 'jobs:write', 'things:write'] })

    expect((await queue.bound.listJobs({}, stranger)).items).toEqual([])
    await expect(queue.bound.listJobs({ ns: 'default' }, stranger)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    for (const asked of ['getJob', 'cancelJob', 'retryJob'] as const)
      await expect(queue.bound[asked]({ id }, stranger)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(queue.bound.reportProgress({ id, progress: { done: 1 } }, stranger)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect((await queue.bound.stats({}, stranger)).states.pending).toBe(0)
    expect((await queue.bound.getJob({ id }, queue.asker({ tenant: 'acme' }))).id).toBe(id)
  })
})

describe('counting jobs', () => {
  it('does so by state and type, and tells how long somebody has waited', async () => {
    await queue.enqueue(fail())
    await queue.drain()
    await queue.enqueue(note('a'))
    await queue.enqueue(note('b', { delaySeconds: 3600 }))
    await queue.passes(45)

    const { states, oldestDueSeconds, types } = await queue.bound.stats({}, queue.asker())

    expect(states).toEqual({ pending: 1, delayed: 1, running: 0, failed: 0, completed: 0, cancelled: 0, dead: 1 })
    expect(oldestDueSeconds).toBe(45)
    expect(types.map(({ type, states: { dead } }) => [type, dead])).toEqual([
      ['db.restore', 1],
      ['db.upsert', 0],
    ])
  })

  it('calls the service degraded when somebody has waited for too long', async () => {
    await queue.enqueue(note('a'))
    const before = await queue.bound.health({})
    await queue.passes(301)

    expect([before.status, (await queue.bound.health({})).checks['lanes']?.status]).toEqual(['ok', 'degraded'])
  })
})

describe('cleaning up', () => {
  it('removes jobs that ended long ago, with what they were given, and no others', async () => {
    const large = await queue.enqueue(note('a', { payload: { $type: 'Note', content: 'x'.repeat(200_000) } }))
    const dead = await queue.enqueue(fail())
    await queue.drain()
    const waiting = await queue.enqueue(note('b', { delaySeconds: 40 * 86_400 }))

    await queue.passes(29 * 86_400)
    const early = await queue.cleanUp()
    await queue.passes(2 * 86_400)
    const late = await queue.cleanUp()

    expect([early, late]).toEqual([{ removed: 0 }, { removed: 1 }])
    expect(queue.objects.size).toBe(0)
    await expect(queue.job(large.id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect([(await queue.job(dead.id)).state, (await queue.job(waiting.id)).state]).toEqual(['dead', 'delayed'])
  })
})
