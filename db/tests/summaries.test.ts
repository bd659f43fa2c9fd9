import { encodeCursor } from '@dot-do/worker-utils'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { as, type Db } from './as.ts'
import { owned, startDb, type DbInProcess } from './in-process.ts'

let running: DbInProcess
let db: Db

beforeAll(async () => {
  running = await startDb(['db'])
})
beforeEach(async () => {
  await running.database.reset()
  db = as(running)
})
afterAll(() => running.close())

const write = ($id: string, $type = 'Note') => db.upsert({ $type, $id, content: 'abc' })

describe('types', () => {
  it('are told by name with how many there are and when one last changed, page by page', async () => {
    await write('a')
    const page = await write('b', 'Page')
    await write('c', 'Gone')
    await db.delete({ id: 'c' })
    const note = await write('d')

    const first = await db.types({ limit: 1 })
    const second = await db.types({ limit: 1, cursor: String(first.nextCursor) })

    expect(first.items).toEqual([{ type: 'Note', count: 2, updatedAt: note.updatedAt }])
    expect(second).toEqual({ items: [{ type: 'Page', count: 1, updatedAt: page.updatedAt }], nextCursor: null })
  })
})

describe('recent', () => {
  it('tells each thing once, the last changed first, also where many changed at the same moment', async () => {
    await db.import({ lines: Array.from({ length: 7 }, (_, index) => ({ $type: 'Note', $id: `note/${index}` })) })
    await owned(running.database, `update db.things set updated_at = '2026-01-01T00:00:00.123Z'`)
    await write('new', 'Page')
    const told: string[] = []

    for (let cursor: string | null | undefined; cursor !== null;) {
      const page = await db.recent({ limit: 3, ...(cursor !== undefined && { cursor }) })
      told.push(...page.items.map(({ $id }) => $id))
      cursor = page.nextCursor
    }

    expect(told).toEqual(['new', 'note/6', 'note/5', 'note/4', 'note/3', 'note/2', 'note/1', 'note/0'])
    expect((await db.recent({ type: 'Page' })).items.map(({ $id }) => $id)).toEqual(['new'])
  })

  it('leaves out what is deleted or of another namespace', async () => {
    await write('a')
    await db.delete({ id: 'a' })
    await as(running, 'acme').upsert({ $type: 'Note', $id: 'theirs' })

    expect(await db.recent({})).toEqual({ items: [], nextCursor: null })
  })
})

describe('activity', () => {
  it('counts changes by day in UTC, type and operation, newest day first', async () => {
    await write('a')
    await write('b')
    await db.update({ id: 'a', content: 'x' })
    await db.relate({ from: 'a', predicate: 'p', to: 'b' })
    await write('old', 'Page')
    await owned(running.database, `update db.changes set at = now() - interval '2 days' where id = 'old'`)
    await write('older', 'Page')
    await owned(running.database, `update db.changes set at = date_trunc('day', now(), 'UTC') - interval '2 days 1 millisecond' where id = 'older'`)
    await as(running, 'acme').upsert({ $type: 'Note' })
    const day = (daysAgo: number) => new Date(Date.now() - daysAgo * 86_400_000).toISOString().slice(0, 10)

    const { days } = await db.activity({ days: 3 })
    const notes = await db.activity({ type: 'Note' })

    expect(days).toEqual([
      { day: day(0), type: '', operation: 'relate', count: 1 },
      { day: day(0), type: 'Note', operation: 'update', count: 1 },
      { day: day(0), type: 'Note', operation: 'upsert', count: 2 },
      { day: day(2), type: 'Page', operation: 'upsert', count: 1 },
    ])
    expect(notes.days.map(({ type }) => type)).toEqual(['Note', 'Note'])
  })
})

describe('stats', () => {
  it('count things, versions, relationships and bytes', async () => {
    await write('a')
    await write('b', 'Page')
    await db.relate({ from: 'a', predicate: 'p', to: 'b' })
    await db.update({ id: 'a', content: 'abcd' })
    await write('c')
    await db.delete({ id: 'c' })

    expect(await db.stats({})).toEqual({
      things: 2,
      versions: 5,
      relationships: 1,
      sizeBytes: 3 + 4 + 2 * 2,
      types: [
        { type: 'Note', count: 1 },
        { type: 'Page', count: 1 },
      ],
    })
    expect(await as(running, 'acme').stats({})).toEqual({ things: 0, versions: 0, relationships: 0, sizeBytes: 0, types: [] })
  })
})

describe('changes', () => {
  it('are kept in order, one for each that changed something and none for what did not', async () => {
    await write('a')
    await write('a')
    await db.batch({
      commands: [
        { operation: 'upsert', input: { $type: 'Note', $id: 'b' } },
        { operation: 'relate', input: { from: 'a', predicate: 'p', to: 'b' } },
        { operation: 'relate', input: { from: 'a', predicate: 'p', to: 'b' } },
        { operation: 'unrelate', input: { from: 'a', predicate: 'p', to: 'b' } },
        { operation: 'delete', input: { id: 'b' } },
        { operation: 'restore', input: { id: 'b' } },
      ],
    })

    const kept = await owned(
      running.database,
      `select kind, type, version, operation, actor, coalesce(id = state ->> 'id' and version = (state ->> 'version')::integer, id in ('a', 'b')) from db.changes order by position`,
    )

    const actor = 'writer-of-default'
    expect(kept).toEqual([
      ['thing', 'Note', '1', 'upsert', actor, 't'],
      ['thing', 'Note', '1', 'upsert', actor, 't'],
      ['relationship', '', '1', 'relate', actor, 't'],
      ['relationship', '', '2', 'unrelate', actor, 't'],
      ['thing', 'Note', '2', 'delete', actor, 't'],
      ['thing', 'Note', '3', 'restore', actor, 't'],
    ])
  })

  it('have the state of each change to a thing among its versions', async () => {
    await write('a')
    await db.update({ id: 'a', content: 'x' })

    const joined = await owned(
      running.database,
      `select c.operation, v.content from db.changes c join db.thing_versions v using (ns, id, version) order by c.position`,
    )

    expect(joined).toEqual([
      ['upsert', 'abc'],
      ['update', 'x'],
    ])
  })
})

describe('a cursor', () => {
  const places: [string, unknown][] = [
    ['types', 7],
    ['types', `Note'`],
    ['types', 'Note\u0000'],
    ['recent', 'note'],
    ['recent', ['2026-01-01', 'note']],
    ['recent', ['2026-02-30T00:00:00.000Z', 'note']],
    ['recent', ['2026-01-01T00:00:00.000Z', '../note']],
    ['recent', ['2026-01-01T00:00:00.000Z', 'note', 1]],
    ['list', 'note\u0000'],
    ['list', `' or true; --`],
  ]

  it.each(places)('of %s that says %j is refused and named', async (operation, place) => {
    const cursor = encodeCursor(place as string) // whatever a caller may have encoded
    const asked = { types: () => db.types({ cursor }), recent: () => db.recent({ cursor }), list: () => db.list({ cursor }) }[operation]

    await expect(asked?.()).rejects.toMatchObject({ code: 'INVALID', details: [{ path: 'cursor' }] })
  })
})
