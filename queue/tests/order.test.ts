import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startQueue, type QueueInProcess } from './in-process.ts'

let queue: QueueInProcess

beforeAll(async () => {
  queue = await startQueue()
})
beforeEach(() => queue.reset())
afterAll(() => queue.close())

/** Writes the one thing there is, so that its history tells in which order jobs ran. */
const write = (content: string, about: object = {}) => ({
  type: 'db.upsert',
  payload: { $type: 'Note', $id: 'the/thing', content },
  group: 'the thing',
  ...about,
})

/** What a job does that fails. */
const fail = (about: object = {}) => ({ type: 'db.restore', payload: { id: 'no/such', version: 1 }, group: 'the thing', ...about })

async function written(): Promise<unknown[]> {
  const { items } = await queue.things.history({ id: 'the/thing' })
  return items.map(({ content }) => content).toReversed()
}

const states = async (ids: string[]) => Promise.all(ids.map(async (id) => (await queue.job(id)).state))

describe('a group', () => {
  it('has its jobs done in the order they were enqueued, whatever their priorities and the order of the hints', async () => {
    for (const content of ['a', 'b', 'c', 'd', 'e']) await queue.enqueue(write(content, { priority: content.charCodeAt(0) % 10 }))
    for (const hints of Object.values(queue.lanes)) hints.reverse()

    await queue.drain()

    expect(await written()).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  it('waits for one that failed and is tried again', async () => {
    const first = await queue.enqueue(fail())
    const second = await queue.enqueue(write('second'))
    await queue.drain()
    expect(await states([first.id, second.id])).toEqual(['failed', 'pending'])

    await queue.passes(80)
    await queue.drain()
    expect(await states([first.id, second.id])).toEqual(['failed', 'pending'])
    await queue.passes(160)
    await queue.drain()

    expect(await states([first.id, second.id])).toEqual(['dead', 'completed'])
  })

  it('does not wait for one whose time has not come', async () => {
    const later = await queue.enqueue(write('later', { delaySeconds: 3600 }))
    const now = await queue.enqueue(write('now'))
    await queue.drain()

    expect(await states([later.id, now.id])).toEqual(['delayed', 'completed'])
  })

  it('goes on when the one it waits for is cancelled', async () => {
    const first = await queue.enqueue(fail())
    const second = await queue.enqueue(write('second'))
    await queue.drain()

    await queue.bound.cancelJob({ id: first.id }, queue.asker())
    await queue.drain()

    expect(await states([first.id, second.id])).toEqual(['cancelled', 'completed'])
  })

  it('of another namespace is another group', async () => {
    await queue.enqueue(fail())
    const other = await queue.enqueue(write('there', { ns: 'acme' }))
    await queue.drain()

    expect(await states([other.id])).toEqual(['completed'])
  })

  it.each([1, 2, 5])('has no more jobs running at once than it may: %i', async (groupConcurrency) => {
    const ids: string[] = []
    for (let job = 0; job < 8; job++) ids.push((await queue.enqueue(write(String(job), { groupConcurrency }))).id)

    const begun = await queue.claim(ids, 'one')
    const more = await queue.claim(ids, 'another')

    expect(begun).toEqual(ids.slice(0, groupConcurrency))
    expect(more).toEqual([])
  })

  it('fills every place that becomes free', async () => {
    const ids: string[] = []
    for (let job = 0; job < 6; job++) ids.push((await queue.enqueue(write(String(job), { groupConcurrency: 2 }))).id)
    await queue.claim(ids, 'one')

    const { next } = await queue.settle(ids.slice(0, 2), 'one')

    expect(next.map(({ id }) => id)).toEqual(ids.slice(2, 4))
  })
})

describe('a type', () => {
  beforeEach(() => queue.forgetTypes())

  it('has no more jobs running at once than it may, and goes on as they end', async () => {
    await queue.bound.updateType({ type: 'db.upsert', concurrency: 2 }, queue.asker())
    const ids: string[] = []
    for (let job = 0; job < 5; job++) ids.push((await queue.enqueue({ ...write(String(job)), group: undefined })).id)

    const begun = await queue.claim(ids, 'one')
    const { next } = await queue.settle(begun.slice(0, 1), 'one')

    expect(begun).toHaveLength(2)
    expect(next.map(({ id }) => id)).toEqual([ids[2]])
    await queue.settle(begun, 'one')
    await queue.drain()
    expect(await states(ids.slice(2))).toEqual(['completed', 'completed', 'completed'])
  })

  it('begins no more jobs in a minute than its rate allows, and all of them in the end', async () => {
    await queue.bound.updateType({ type: 'db.upsert', ratePerMinute: 6 }, queue.asker())
    const ids: string[] = []
    for (let job = 0; job < 8; job++) ids.push((await queue.enqueue({ ...write(String(job)), group: undefined })).id)

    const done: number[] = []
    for (let slot = 0; slot < 8; slot++) {
      await queue.drain()
      done.push((await states(ids)).filter((state) => state === 'completed').length)
      await queue.passes(10)
    }

    expect(done).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  })

  it('lets go of what it held back when its rate is lifted', async () => {
    await queue.bound.updateType({ type: 'db.upsert', ratePerMinute: 1 }, queue.asker())
    const ids: string[] = []
    for (let job = 0; job < 4; job++) ids.push((await queue.enqueue({ ...write(String(job)), group: undefined })).id)
    await queue.drain()

    await queue.bound.updateType({ type: 'db.upsert', ratePerMinute: null }, queue.asker())
    await queue.drain()

    expect(await states(ids)).toEqual(['completed', 'completed', 'completed', 'completed'])
  })

  it('says how often its jobs are tried, unless they say it themselves', async () => {
    await queue.bound.updateType({ type: 'db.restore', maxAttempts: 1 }, queue.asker())
    const one = await queue.enqueue(fail({ group: undefined }))
    const two = await queue.enqueue(fail({ group: undefined, maxAttempts: 2 }))
    await queue.drain()

    expect([one.maxAttempts, two.maxAttempts]).toEqual([1, 2])
    expect(await states([one.id, two.id])).toEqual(['dead', 'failed'])
  })

  it('that no contract offers cannot be settled', async () => {
    await expect(queue.bound.updateType({ type: 'db.get', concurrency: 1 }, queue.asker())).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('is listed with its other names and what it needs', async () => {
    const { items } = await queue.bound.listTypes({}, queue.asker())

    expect(items.find(({ type }) => type === 'db.embed')).toMatchObject({
      aliases: ['generate-embedding'],
      permission: 'things:write',
      settings: { concurrency: null },
    })
  })
})
