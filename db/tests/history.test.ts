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

const NOTE = { $type: 'Note', $id: 'note', content: 'one' }

/** Says of versions 1, 2, 3 … when they were made. */
async function date(...moments: string[]): Promise<void> {
  for (const [index, at] of moments.entries()) {
    await owned(running.database, `update db.thing_versions set at = '${at}' where version = ${index + 1}`)
  }
  await owned(running.database, `update db.things set created_at = '${moments[0]}'`)
}

describe('a thing as it was', () => {
  beforeEach(async () => {
    await db.upsert(NOTE)
    await db.update({ id: 'note', content: 'two', data: { a: 1 } })
    await db.delete({ id: 'note' })
    await db.upsert({ ...NOTE, $type: 'Page', content: 'four' })
    await date('2026-01-01T10:00:00Z', '2026-01-02T23:59:59.999Z', '2026-01-03T00:00:00Z', '2026-01-04T12:00:00Z')
  })

  it.each([
    ['note', 4, 'four'],
    ['note@4', 4, 'four'],
    ['note@1', 1, 'one'],
    ['note@2', 2, 'two'],
    ['note::Page', 4, 'four'],
    ['note::Note@2', 2, 'two'],
    ['note@2026-01-01', 1, 'one'],
    ['note@2026-01-02', 2, 'two'],
    ['note@2026-01-04', 4, 'four'],
    ['note@9999-12-31', 4, 'four'],
    ['note@2026-01-01T10:00:00Z', 1, 'one'],
    ['note@2026-01-02T23:59:59.998Z', 1, 'one'],
    ['note@2026-01-02T23:59:59.999Z', 2, 'two'],
    ['note@2026-01-02T23:59:59.999999999Z', 2, 'two'],
    ['note@2026-01-04T13:00+01:00', 4, 'four'],
  ])('is found as %s', async (id, version, content) => {
    expect(await db.get({ id })).toMatchObject({ $id: 'note', version, content })
  })

  it.each([
    'note@0',
    'note@3',
    'note@5',
    'note@999999999',
    'note::Note',
    'note::Page@2',
    'note@2025-12-31',
    'note@0000-01-01',
    'note@2026-01-03',
    'note@2026-01-01T09:59:59.999Z',
    'note@2026-01-04T12:59+01:00',
    'other@1',
    'other@2026-01-02',
  ])('is not there as %s', async (id) => {
    await expect(db.get({ id })).rejects.toMatchObject({ code: 'NOT_FOUND', message: `No thing ${id}` })
  })

  it.each([
    'note@2026-02-30',
    'note@2026-13-01',
    'note@2026-01-01T25:00Z',
    'note@2026-01-01T10:00:00+99:00',
    'note@',
    'note@x',
    'note@1@2',
    'note::',
    'a/../b@1',
    '@1',
  ])('is not asked for as %s', async (id) => {
    await expect(db.get({ id })).rejects.toMatchObject({
      code: 'INVALID',
      details: expect.arrayContaining([expect.objectContaining({ path: 'id' })]) as unknown,
    })
  })

  it('has the dates of then', async () => {
    expect(await db.get({ id: 'note@2' })).toEqual({
      ns: 'default',
      $id: 'note',
      $type: 'Note',
      content: 'two',
      data: { a: 1 },
      visibility: 'private',
      version: 2,
      createdAt: '2026-01-01T10:00:00.000Z',
      updatedAt: '2026-01-02T23:59:59.999Z',
    })
  })

  it('is found at a moment with any offset', async () => {
    expect(await db.getAt({ id: 'note', at: '2026-01-02T09:00:00+09:00' })).toMatchObject({ version: 1 })
    expect(await db.getAt({ id: 'note', at: '2026-01-02T14:59:59.999-09:00' })).toMatchObject({ version: 2 })
    await expect(db.getAt({ id: 'note', at: '2026-01-03T12:00:00Z' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(db.getAt({ id: 'note', at: '2026-01-03' })).rejects.toMatchObject({ code: 'INVALID', details: [{ path: 'at' }] })
  })

  it('of another namespace is not there', async () => {
    await expect(as(running, 'acme').get({ id: 'note@1' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(as(running, 'acme').getAt({ id: 'note', at: '2026-01-02T00:00:00Z' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})

describe('restore', () => {
  it('brings back what was deleted, under the next version', async () => {
    await db.upsert({ ...NOTE, data: { a: 1 }, visibility: 'public' })
    await db.delete({ id: 'note' })

    const back = await db.restore({ id: 'note' })

    expect(back).toMatchObject({ version: 3, content: 'one', data: { a: 1 }, visibility: 'public' })
    expect(await db.get({ id: 'note' })).toEqual(back)
    expect((await db.history({ id: 'note' })).items.map(({ operation }) => operation)).toEqual(['restore', 'delete', 'upsert'])
  })

  it('brings back a former state of a thing that is there or deleted', async () => {
    await db.upsert(NOTE)
    await db.update({ id: 'note', content: 'two' })

    const first = await db.restore({ id: 'note', version: 1 })
    await db.delete({ id: 'note' })
    const second = await db.restore({ id: 'note', version: 2 })

    expect([first, second]).toMatchObject([
      { version: 3, content: 'one' },
      { version: 5, content: 'two' },
    ])
  })

  it('changes nothing where that state is the current one', async () => {
    const written = await db.upsert(NOTE)

    expect(await db.restore({ id: 'note', version: 1 })).toEqual(written)
    expect((await db.history({ id: 'note' })).items).toHaveLength(1)
  })

  it('is possible for 30 days and not longer', async () => {
    await db.upsert(NOTE)
    await db.delete({ id: 'note' })
    const deletedAgo = (age: string) => owned(running.database, `update db.things set deleted_at = now() - interval '${age}'`)

    await deletedAgo('30 days 1 minute')
    const late = db.restore({ id: 'note' })
    await expect(late).rejects.toMatchObject({ code: 'NOT_FOUND', message: 'note was deleted more than 30 days ago and cannot be restored' })
    await deletedAgo('29 days 23 hours 59 minutes')

    expect(await db.restore({ id: 'note' })).toMatchObject({ version: 3 })
  })

  it.each([
    ['a thing that never was', { id: 'never' }, 'NOT_FOUND', 'id'],
    ['a thing that is there', { id: 'note' }, 'CONFLICT', 'id'],
    ['a version that never was', { id: 'note', version: 9 }, 'NOT_FOUND', 'version'],
    ['a version that was a deletion', { id: 'note', version: 2 }, 'NOT_FOUND', 'version'],
    ['a thing that has changed since', { id: 'note', version: 1, ifVersion: 2 }, 'CONFLICT', 'ifVersion'],
  ])('refuses %s', async (_name, input, code, path) => {
    await db.upsert(NOTE)
    await db.delete({ id: 'note' })
    await db.upsert({ ...NOTE, content: 'three' })

    await expect(db.restore(input)).rejects.toMatchObject({ code, details: [{ path }] })
    expect(await db.get({ id: 'note' })).toMatchObject({ version: 3, content: 'three' })
  })

  it('of a deleted thing may expect the version that the deletion was, or none', async () => {
    await db.upsert(NOTE)
    const { version } = await db.delete({ id: 'note' })

    await expect(db.restore({ id: 'note', ifVersion: 1 })).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(await db.restore({ id: 'note', ifVersion: version })).toMatchObject({ version: 3 })
    await db.delete({ id: 'note' })
    expect(await db.restore({ id: 'note', ifVersion: 0 })).toMatchObject({ version: 5 })
  })
})

describe('purging', () => {
  const maintainer = () => as(running, 'default', ['db:maintain'])

  it('removes for good what was deleted more than 30 days ago, and all that was kept of it', async () => {
    for (const $id of ['old', 'new', 'kept']) await db.upsert({ ...NOTE, $id })
    await db.relate({ from: 'kept', predicate: 'likes', to: 'old' })
    await db.relate({ from: 'old', predicate: 'likes', to: 'kept' })
    await db.relate({ from: 'kept', predicate: 'likes', to: 'new' })
    await db.relate({ from: 'kept', predicate: 'disliked', to: 'old' })
    await db.unrelate({ from: 'kept', predicate: 'disliked', to: 'old' })
    for (const id of ['old', 'new']) await db.delete({ id })
    await owned(running.database, `update db.things set deleted_at = now() - interval '31 days' where id = 'old'`)
    await owned(running.database, `update db.things set deleted_at = now() - interval '29 days' where id = 'new'`)

    const removed = await maintainer().purgeDeleted({})

    expect(removed).toEqual({ things: 1, relationships: 2 })
    await expect(db.history({ id: 'old' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(db.restore({ id: 'old' })).rejects.toMatchObject({ code: 'NOT_FOUND', message: 'No thing old' })
    expect(await owned(running.database, `select distinct id from db.changes where kind = 'thing' order by id`)).toEqual([['kept'], ['new']])
    expect(await owned(running.database, `select state ->> 'to' from db.changes where kind = 'relationship'`)).toEqual([['new']])
    expect(await db.restore({ id: 'new' })).toMatchObject({ version: 3 })
    expect(await db.upsert({ ...NOTE, $id: 'old' })).toMatchObject({ version: 1 })
    expect(await maintainer().purgeDeleted({})).toEqual({ things: 0, relationships: 0 })
  })

  it('goes through more than one part in one call, in every namespace', async () => {
    await owned(
      running.database,
      `insert into db.things (ns, id, type, content, data, visibility, version, created_at, updated_at, deleted_at)
        select case when n = 0 then 'acme' else 'default' end, 'note/' || n, 'Note', '', '{}', 'private', 1, now(), now(), now() - interval '31 days'
        from generate_series(0, 700) n`,
    )

    expect(await maintainer().purgeDeleted({})).toEqual({ things: 701, relationships: 0 })
    expect(await owned(running.database, 'select count(*) from db.things')).toEqual([['0']])
  })

  it('is refused to whoever may only write', async () => {
    await expect(db.purgeDeleted({})).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })
})
