import { encodeCursor } from '@dot-do/worker-utils'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { service } from '../src/service.ts'
import { feedOf, type Line } from './feed.ts'
import { binding, owned, startDb, type DbInProcess } from './in-process.ts'

let running: DbInProcess
let feed: ReturnType<typeof feedOf>
let db: ReturnType<typeof bound>

const bound = (tenant = 'default') => binding(service, running.env, { principal: { id: 'writer', tenant, permissions: ['*'] } })
const shape = ({ operation, thing, relationship }: Line) =>
  relationship
    ? `${operation} ${relationship.from} ${relationship.predicate} ${relationship.to}`
    : `${operation} ${thing?.$id} v${thing?.version} ${thing?.content}`

beforeAll(async () => {
  running = await startDb(['db'])
})
beforeEach(async () => {
  await running.database.reset()
  feed = feedOf(running)
  db = bound()
})
afterAll(() => running.close())

/** So many things that were written long ago, as rows. */
async function backlog(count: number, type = 'Old', content = 'old'): Promise<void> {
  await owned(
    running.database,
    `with made as (select n, 'old/' || to_char(n, 'FM000000') as id from generate_series(1, ${count}) n),
      things as (insert into db.things (ns, id, type, content, data, visibility, version, created_at, updated_at)
        select 'default', id, '${type}', '${content}', '{}', 'private', 1, now(), now() from made),
      versions as (insert into db.thing_versions (ns, id, version, operation, type, content, data, visibility, actor, at)
        select 'default', id, 1, 'upsert', '${type}', '${content}', '{}', 'private', 'writer', now() from made)
      insert into db.changes (ns, kind, id, type, version, operation, actor, at)
        select 'default', 'thing', id, '${type}', 1, 'upsert', 'writer', now() from made order by n`,
  )
}

describe('a feed', () => {
  it('tells every change in the order of commit, each with the state it led to', async () => {
    await db.upsert({ $type: 'Note', $id: 'a', content: 'one' })
    await db.upsert({ $type: 'Note', $id: 'b' })
    await db.update({ id: 'a', content: 'two' })
    await db.relate({ from: 'a', predicate: 'about', to: 'b' })
    await db.upsert({ $type: 'Note', $id: 'a', content: 'two' })
    await db.unrelate({ from: 'a', predicate: 'about', to: 'b' })
    await db.delete({ id: 'a' })
    await db.restore({ id: 'a' })

    const lines = await (await feed.follow({})).changes(7)

    expect(lines.map(shape)).toEqual([
      'upsert a v1 one',
      'upsert b v1 ',
      'update a v2 two',
      'relate a about b',
      'unrelate a about b',
      'delete a v3 two',
      'restore a v4 two',
    ])
    expect(lines[2]).toMatchObject({ ns: 'default', actor: 'writer', thing: { ns: 'default', $type: 'Note', data: {}, visibility: 'private' } })
  })

  it('goes on behind the cursor of any line, without gap or double', async () => {
    for (const $id of ['a', 'b', 'c', 'd']) await db.upsert({ $type: 'Note', $id })
    const all = await (await feed.follow({})).changes(4)

    const rests = await Promise.all(all.slice(0, 3).map(async ({ cursor }, index) => (await feed.follow({ since: cursor })).changes(3 - index)))

    expect(rests).toEqual([all.slice(1), all.slice(2), all.slice(3)])
  })

  it('waits for what is yet to come, and tells it', async () => {
    const reader = await feed.follow({})
    const coming = reader.changes(2)

    await db.upsert({ $type: 'Note', $id: 'a' })
    await db.upsert({ $type: 'Note', $id: 'b' })

    expect((await coming).map(shape)).toEqual(['upsert a v1 ', 'upsert b v1 '])
  })

  it('since now tells only what comes after it was asked for', async () => {
    await db.upsert({ $type: 'Note', $id: 'before' })
    const reader = await feed.follow({ since: 'now' })
    await db.upsert({ $type: 'Note', $id: 'after' })

    expect((await reader.changes(1)).map(shape)).toEqual(['upsert after v1 '])
  })

  it('of some types leaves out all others and relationships', async () => {
    await db.upsert({ $type: 'Note', $id: 'n' })
    await db.upsert({ $type: 'Task', $id: 't' })
    await db.relate({ from: 'n', predicate: 'about', to: 't' })
    await db.upsert({ $type: 'Doc', $id: 'd' })

    const lines = await (await feed.follow({ types: ['Task', 'Doc'] })).changes(2)

    expect(lines.map(shape)).toEqual(['upsert t v1 ', 'upsert d v1 '])
  })

  it('finds the one thing of a type behind ten thousand others, and knows at the end that there is no more', async () => {
    await backlog(10_500)
    await db.upsert({ $type: 'Rare', $id: 'rare' })
    const reader = await feed.follow({ types: ['Rare'] }, {}, { quietMs: 300 })

    expect((await reader.changes(1)).map(shape)).toEqual(['upsert rare v1 '])
    expect(await reader.read()).toEqual([{ kind: 'heartbeat', cursor: encodeCursor(10_501) }])
  })

  it('tells a thousand old changes in pages', async () => {
    await backlog(1_000)
    const reader = await feed.follow({})

    const pages: number[] = []
    const ids: string[] = []
    while (ids.length < 1_000) {
      const lines = (await reader.read()) ?? []
      pages.push(lines.length)
      ids.push(...lines.map(({ thing }) => thing?.$id ?? ''))
    }

    expect(pages).toEqual(Array.from({ length: 10 }, () => 100))
    expect(ids).toEqual(Array.from({ length: 1_000 }, (_, index) => `old/${String(index + 1).padStart(6, '0')}`))
  })

  it('makes smaller pages of large states', async () => {
    await backlog(30, 'Large', 'x'.repeat(500_000))
    const reader = await feed.follow({})

    const pages: number[] = []
    while (pages.reduce((total, length) => total + length, 0) < 30) pages.push((await reader.read())?.length ?? 0)

    expect(pages).toEqual([9, 9, 9, 3])
  })

  it('does not read ahead of a reader who is slow', async () => {
    await backlog(250)
    const reader = await feed.follow({})
    const first = await reader.read()
    await owned(running.database, `delete from db.changes where position > 150`)

    const second = await reader.read()

    expect([first?.length, second?.length]).toEqual([100, 50])
  })

  it('leaves out what was removed for good', async () => {
    await db.upsert({ $type: 'Note', $id: 'gone' })
    await db.delete({ id: 'gone' })
    await db.upsert({ $type: 'Note', $id: 'kept' })
    await owned(running.database, `update db.things set deleted_at = now() - interval '31 days' where id = 'gone'`)
    await db.purgeDeleted({})

    expect((await (await feed.follow({})).changes(1)).map(shape)).toEqual(['upsert kept v1 '])
  })

  it('tells one tenant nothing of another', async () => {
    await bound('acme').upsert({ $type: 'Note', $id: 'secret' })
    await db.upsert({ $type: 'Note', $id: 'own' })

    const [own, acme, asked] = await Promise.all([
      (await feed.follow({})).changes(1),
      (await feed.follow({}, { tenant: 'acme' })).changes(1),
      (await feed.follow({ ns: 'acme' }, { permissions: ['*'] })).changes(1),
    ])

    expect([own, acme, asked].map((lines) => lines.map(shape))).toEqual([['upsert own v1 '], ['upsert secret v1 '], ['upsert secret v1 ']])
    await expect(feed.follow({ ns: 'acme' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('ends all that runs for a reader who goes away', async () => {
    const reader = await feed.follow({})
    const pending = reader.read()
    await vi.waitFor(() => expect(feed.waiters.size).toBe(1))

    await reader.cancel()

    expect(await pending).toBeUndefined()
    expect(feed.waiters.size).toBe(0)
  })

  it('goes on when the database was away while it waited', async () => {
    const reader = await feed.follow({})
    const coming = reader.changes(1)
    await vi.waitFor(() => expect(feed.waiters.size).toBe(1))

    await running.duringOutage(() => vi.waitFor(() => expect(feed.failedLooks()).toBe(1)))
    await db.upsert({ $type: 'Note', $id: 'a' })

    expect((await coming).map(shape)).toEqual(['upsert a v1 '])
  })

  it('goes on when the database was away while it read', async () => {
    await db.upsert({ $type: 'Note', $id: 'a' })
    const reader = await feed.follow({})

    const [coming] = await running.duringOutage(async () => {
      const lines = reader.changes(1)
      await expect(db.count({})).rejects.toMatchObject({ code: 'UNAVAILABLE' })
      return [lines]
    })

    expect((await coming).map(shape)).toEqual(['upsert a v1 '])
  })

  it('ends when the database stays away, so that its reader comes back', async () => {
    await db.upsert({ $type: 'Note', $id: 'a' })
    const reader = await feed.follow({}, {}, { outageMs: 200 })

    expect(await running.duringOutage(() => reader.read())).toBeUndefined()
  })

  it('ends after its life, so that its reader is asked anew who they are', async () => {
    const reader = await feed.follow({}, {}, { lifeMs: 200 })

    expect(await reader.read()).toBeUndefined()
  })
})
