import { encodeCursor } from '@dot-do/worker-utils'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { service } from '../src/service.ts'
import { feedOf } from './feed.ts'
import { binding, startDb, type DbInProcess } from './in-process.ts'

let running: DbInProcess
let feed: ReturnType<typeof feedOf>

beforeAll(async () => {
  running = await startDb(['db'])
})
beforeEach(async () => {
  await running.database.reset()
  feed = feedOf(running)
})
afterAll(() => running.close())

describe('who asks for a feed', () => {
  it.each<[string, string[], string]>([
    ['may not read things', [], 'FORBIDDEN'],
    ['may write only', ['things:write'], 'FORBIDDEN'],
  ])('and %s is refused before the question is read', async (_who, permissions, code) => {
    await expect(feed.follow({ since: '%', types: 7 }, { permissions })).rejects.toMatchObject({ code })
  })

  it.each<[string, unknown]>([
    ['no cursor', 'yesterday'],
    ['a cursor cut in the middle', encodeCursor(123456).slice(0, 5)],
    ['a cursor of a list', encodeCursor('note/a')],
    ['a cursor of a walk', encodeCursor([1, 'a'])],
    ['a place before the first', encodeCursor(-1)],
    ['half a place', encodeCursor(1.5)],
    ['a place that is yet to come', encodeCursor(999)],
    ['a place beyond all numbers', encodeCursor(1e300)],
    ['nothing', ''],
    ['a number', 7],
  ])('with %s for since is told so', async (_what, since) => {
    await binding(service, running.env, { principal: { id: 'writer', permissions: ['*'] } }).upsert({ $type: 'Note', $id: 'a' })

    await expect(feed.follow({ since })).rejects.toMatchObject({ code: 'INVALID', details: [{ path: 'since' }] })
  })

  it.each<[string, unknown, string]>([
    ['of no types', [], 'types'],
    ['of what is no type', ['Note', "'; drop"], 'types.1'],
    ['of a text', 'Note', 'types'],
  ])('%s is told so', async (_what, types, path) => {
    await expect(feed.follow({ types })).rejects.toMatchObject({ code: 'INVALID', details: [{ path }] })
  })

  it('while the database is away is told so', async () => {
    const thrown = await running.duringOutage(() => feed.follow({})).catch((error: unknown) => error)

    expect(thrown).toMatchObject({ code: 'UNAVAILABLE', message: 'The database cannot be reached' })
    expect(thrown).not.toHaveProperty('cause')
  })
})
