import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { exportLines } from '../src/lines.ts'
import { as, type Db } from './as.ts'
import { owned, startDb, type DbInProcess } from './in-process.ts'
import { callAs, FILLED, fillForExport, readExport } from './lines.ts'

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

const call = (...asked: [tenant?: string, permissions?: string[], idempotencyKey?: string]) => callAs(running, ...asked)

describe('an export', () => {
  it('has whose it is, the things, what they are to each other, and how many there were', async () => {
    await fillForExport(running)

    const { headers, lines, rest } = await readExport(call())

    expect(lines).toEqual([{ $export: { ns: 'default', at: expect.stringMatching(/^20.*Z$/) } }, ...FILLED, { $end: { things: 2, relationships: 1 } }])
    expect(rest).toBe('')
    expect(headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8')
  })

  it('of a selection has the relationships between what is selected alone', async () => {
    await fillForExport(running)
    await db.upsert({ $type: 'Note', $id: 'note/c' })
    await db.relate({ from: 'note/c', predicate: 'next', to: 'note/b' })

    const byType = await readExport(call(), { type: 'Note' })
    const byId = await readExport(call(), { id: 'page/*' })

    expect(byType.lines.map(({ $id, from }) => $id ?? from)).toEqual([undefined, 'note/b', 'note/c', 'note/c', undefined])
    expect(byType.lines.at(-1)).toEqual({ $end: { things: 2, relationships: 1 } })
    expect(byId.lines.slice(1)).toEqual([FILLED[1], { $end: { things: 1, relationships: 0 } }])
  })

  it('is of the moment it began, whatever changes while it is read', async () => {
    await fillForExport(running)
    await db.relate({ from: 'note/b', predicate: 'was', to: 'page/a' })
    await db.unrelate({ from: 'note/b', predicate: 'was', to: 'page/a' })
    const before = await readExport(call())
    const meanwhile = async () => {
      await db.update({ id: 'note/b', content: 'changed', $type: 'Other' })
      await db.upsert({ $type: 'Note', $id: 'note/new' })
      await db.relate({ from: 'note/new', predicate: 'in', to: 'page/a' })
      await db.relate({ from: 'note/b', predicate: 'in', to: 'page/a', data: { changed: true } })
      await db.unrelate({ from: 'note/b', predicate: 'in', to: 'page/a' })
      await db.relate({ from: 'note/b', predicate: 'was', to: 'page/a' })
      await db.delete({ id: 'page/a' })
      await db.restore({ id: 'note/gone' })
    }

    const during = await readExport(call(), {}, meanwhile)
    const after = await readExport(call())

    expect(during.lines.slice(1)).toEqual(before.lines.slice(1))
    expect(after.lines.map(({ $id, from }) => $id ?? from)).toEqual([undefined, 'note/b', 'note/gone', 'note/new', 'note/b', undefined])
  })

  it('goes over as many pages as there are, of many things and of large ones', async () => {
    const ids = Array.from({ length: 2_100 }, (_, index) => `n/${String(index).padStart(5, '0')}`)
    const command = `jsonb_build_object('operation', 'upsert', 'ns', 'default', 'id', 'n/' || lpad(n::text, 5, '0'), 'type', 'Note', 'visibility', 'private', 'data', '{}'::jsonb, 'path', '',
      'content', case when n % 200 = 0 then repeat('x', 500000) else '' end)`
    await owned(running.database, `select db.apply((select jsonb_agg(${command}) from generate_series(0, 2099) n), 'tester', now())::text is null`)
    const links = `jsonb_build_object('operation', 'relate', 'ns', 'default', 'id', 'rel_' || n, 'from', 'n/00000', 'predicate', 'p', 'to', 'n/' || lpad(n::text, 5, '0'), 'data', '{}'::jsonb, 'path', '')`
    await owned(running.database, `select db.apply((select jsonb_agg(${links}) from generate_series(1, 2099) n), 'tester', now())::text is null`)

    const { lines } = await readExport(call())

    expect(lines.slice(1, 2_101).map(({ $id }) => $id)).toEqual(ids)
    expect(lines.slice(2_101, -1).map(({ to }) => to)).toEqual(ids.slice(1))
    expect(lines.at(-1)).toEqual({ $end: { things: 2_100, relationships: 2_099 } })
  })

  it('of nothing is whole as well', async () => {
    const { lines } = await readExport(call())

    expect(lines.slice(1)).toEqual([{ $end: { things: 0, relationships: 0 } }])
  })

  it.each([
    ['a stranger to things', {}, ['events:write'], 'FORBIDDEN'],
    ['a namespace of another', { ns: 'other' }, ['things:read'], 'NOT_FOUND'],
    ['a glob that is none', { id: '../x' }, ['things:read'], 'INVALID'],
    ['a type that is none', { type: '9' }, ['things:read'], 'INVALID'],
  ])('is refused to %s', async (_who, query, permissions, code) => {
    await expect(exportLines(query, call('default', permissions))).rejects.toMatchObject({ code })
  })
})
