import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startQueue, type QueueInProcess } from './in-process.ts'

let queue: QueueInProcess

beforeAll(async () => {
  queue = await startQueue()
})
beforeEach(() => queue.reset())
afterAll(() => queue.close())

/** What a job does that fails: there is no such thing. */
const fail = (about: object = {}) => ({ type: 'db.restore', payload: { id: 'no/such', version: 1 }, ...about })
const note = (name: string) => ({ type: 'db.upsert', payload: { $type: 'Note', $id: `note/${name}` } })

/** Lets a job fail until it is dead. */
async function die(about: object = {}): Promise<string> {
  const { id } = await queue.enqueue(fail({ maxAttempts: 1, ...about }))
  await queue.drain()
  return id
}

describe('a job that fails', () => {
  it('is tried again after a while that doubles, and is dead after its attempts, with every error kept', async () => {
    const { id } = await queue.enqueue(fail())
    const waits: number[] = []
    for (let attempt = 1; attempt <= 2; attempt++) {
      await queue.drain()
      const { state, runAt } = await queue.job(id)
      expect(state).toBe('failed')
      waits.push((Date.parse(runAt) - Date.now()) / 1000)
      await queue.passes(160)
    }
    await queue.drain()

    const { state, attempts, errors, finishedAt } = await queue.job(id)
    expect([state, attempts]).toEqual(['dead', 3])
    expect(errors.map(({ attempt, code }) => [attempt, code])).toEqual([
      [1, 'NOT_FOUND'],
      [2, 'NOT_FOUND'],
      [3, 'NOT_FOUND'],
    ])
    expect(finishedAt).toBeDefined()
    expect(waits[0]).toBeGreaterThanOrEqual(60)
    expect(waits[0]).toBeLessThanOrEqual(75)
    expect(waits[1]).toBeGreaterThanOrEqual(120)
    expect(waits[1]).toBeLessThanOrEqual(150)
  })

  it('keeps nobody behind it waiting', async () => {
    const poison = await queue.enqueue(fail())
    const behind = await Promise.all(['a', 'b', 'c'].map((name) => queue.enqueue(note(name))))
    await queue.drain()

    expect((await queue.job(poison.id)).state).toBe('failed')
    for (const { id } of behind) expect((await queue.job(id)).state).toBe('completed')
  })

  it('is dead at once when nothing does it any more', async () => {
    const { id } = await queue.enqueue(note('a'))
    await queue.changeRow(id, `type = 'db.retired'`)
    await queue.drain()

    expect(await queue.job(id)).toMatchObject({ state: 'dead', attempts: 1, errors: [{ code: 'NOT_FOUND', message: 'Nothing does db.retired any more' }] })
  })

  it('is dead at once when what it was given does not fit any more', async () => {
    const { id } = await queue.enqueue(note('a'))
    await queue.changeRow(id, `payload = '{"title": "Hi"}'`)
    await queue.drain()

    const { state, errors } = await queue.job(id)
    expect([state, errors[0]?.code]).toEqual(['dead', 'INVALID'])
    expect(errors[0]?.message).toMatch(/^What it was given does not fit any more: payload\./)
  })

  it('because auth cannot be asked waits, and loses no attempt', async () => {
    const { id } = await queue.enqueue(note('a'))
    await queue.withoutAuth(() => queue.drain())
    expect(await queue.job(id)).toMatchObject({ state: 'delayed', attempts: 0, errors: [] })

    await queue.passes(15)
    await queue.drain()

    expect(await queue.job(id)).toMatchObject({ state: 'completed', attempts: 1 })
  })
})

describe('a dead job', () => {
  it('can be run again with what it should have been given, by whoever says so', async () => {
    const id = await die()
    const other = await queue.keys.createKey({ name: 'other', permissions: ['*'] })

    const again = await queue.bound.retryJob({ id, payload: { id: 'note/a', version: 1 }, priority: 9 }, queue.asker({ id: other.id }))
    await queue.bound.enqueue(note('a'), queue.asker())
    await queue.things.upsert({ $type: 'Note', $id: 'note/a' })
    await queue.drain()

    expect(again).toMatchObject({ state: 'pending', attempts: 0, priority: 9, errors: [{ code: 'NOT_FOUND' }], createdBy: other.id })
    expect(await queue.job(id)).toMatchObject({ attempts: 1, payload: { id: 'note/a' } })
  })

  it('is given no payload that does not fit, nor by anybody who may not do what it does', async () => {
    const id = await die()
    const reader = queue.asker({ permissions: ['jobs:write'] })

    await expect(queue.bound.retryJob({ id, payload: { nothing: 1 } }, queue.asker())).rejects.toMatchObject({ code: 'INVALID' })
    await expect(queue.bound.retryJob({ id, payload: { id: 'a', version: 1 } }, reader)).rejects.toMatchObject({ code: 'FORBIDDEN' })
    expect(await queue.job(id)).toMatchObject({ state: 'dead', payload: { id: 'no/such' } })
  })

  it('can be run again with others like it', async () => {
    const [one, two, three] = [await die(), await die({ group: 'g' }), await die()]

    expect(await queue.bound.redrive({ group: 'g' }, queue.asker())).toEqual({ redriven: 1, remaining: 0 })
    expect(await queue.bound.redrive({ errorCode: 'FORBIDDEN' }, queue.asker())).toEqual({ redriven: 0, remaining: 0 })
    expect(await queue.bound.redrive({ type: 'db.restore', limit: 1 }, queue.asker())).toEqual({ redriven: 1, remaining: 1 })
    expect(await queue.bound.redrive({ ids: [three] }, queue.asker())).toEqual({ redriven: 1, remaining: 0 })
    for (const id of [one, two, three]) expect(await queue.job(id)).toMatchObject({ state: 'pending', attempts: 0 })
    await queue.drain()
    for (const id of [one, two, three]) expect(await queue.job(id)).toMatchObject({ state: 'dead', attempts: 1, errors: [{}, {}] })
  })

  it('is one of its namespace: others redrive nothing of it', async () => {
    await die()

    expect(await queue.bound.redrive({}, queue.asker({ tenant: 'acme' }))).toEqual({ redriven: 0, remaining: 0 })
  })
})

describe('running again', () => {
  it('is refused to what is completed', async () => {
    const { id } = await queue.enqueue(note('a'))
    await queue.drain()

    await expect(queue.bound.retryJob({ id }, queue.asker())).rejects.toMatchObject({ code: 'CONFLICT' })
  })

  it('ends the wait of what failed', async () => {
    const { id } = await queue.enqueue(fail())
    await queue.drain()
    await queue.bound.retryJob({ id }, queue.asker())
    await queue.drain()

    expect((await queue.job(id)).errors).toHaveLength(2)
  })
})
