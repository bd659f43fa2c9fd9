import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { embeddedEngine, type EmbeddedEngine } from '../src/engines/embedded.ts'

let engine: EmbeddedEngine

beforeAll(async () => {
  engine = await embeddedEngine()
  await engine.script('create role one login; create role two login; create schema one authorization one; create schema two authorization two')
}, 60_000)
beforeEach(() =>
  engine.script(`drop table if exists one.notes, two.notes;
    create table one.notes (id text primary key); alter table one.notes owner to one; insert into one.notes values ('of one');
    create table two.notes (id text primary key); alter table two.notes owner to two; insert into two.notes values ('of two');`),
)
afterAll(() => engine.close())

async function rows(role: string, sql: string, params: unknown[] = []): Promise<unknown> {
  const [result] = await engine.batch(role, [{ sql, params }])
  return result?.rows
}

const prepared = async (): Promise<number> =>
  Number((await engine.batch(null, [{ sql: 'select count(*) from pg_prepared_statements', params: [] }]))[0]?.rows[0]?.[0])

describe('a text that is asked for again and again', () => {
  it('is prepared once, and answered with the values of each time', async () => {
    const before = await prepared()
    const answers = []
    for (let n = 0; n < 10; n++) answers.push(await rows('one', 'select $1::text || id from notes', [`${n} `]))

    expect(answers).toEqual(Array.from({ length: 10 }, (_, n) => [[`${n} of one`]]))
    expect((await prepared()) - before).toBe(1)
  })

  it('means what it means to the role that asks', async () => {
    const answers = []
    for (let n = 0; n < 4; n++) answers.push(await rows('one', 'select current_user, id from notes'), await rows('two', 'select current_user, id from notes'))

    expect(answers).toEqual(Array.from({ length: 4 }, () => [[['one', 'of one']], [['two', 'of two']]]).flat())
  })

  it('means the table as it is now, when the owner has changed it', async () => {
    for (let n = 0; n < 4; n++) await rows('one', 'select * from one.notes')

    await engine.script(`alter table one.notes add column text text default 'added'`)
    const added = []
    for (let n = 0; n < 4; n++) added.push(await rows('one', 'select * from one.notes'))
    await engine.batch(null, [{ sql: 'alter table one.notes drop column text', params: [] }])

    expect(added).toEqual(Array.from({ length: 4 }, () => [['of one', 'added']]))
    expect(await rows('one', 'select * from one.notes')).toEqual([['of one']])
  })

  it('fails each time in the same way until there is what it asks for', async () => {
    const codes = []
    for (let n = 0; n < 4; n++) codes.push(await rows('one', 'select id from one.missing').catch(({ code }: { code: string }) => code))
    await engine.script('create table one.missing (id text); alter table one.missing owner to one')

    expect(codes).toEqual(['42P01', '42P01', '42P01', '42P01'])
    expect(await rows('one', 'select id from one.missing')).toEqual([])
    await engine.script('drop table one.missing')
  })

  it('goes through although what it was first asked for together with failed', async () => {
    const insert = { sql: 'insert into one.notes values ($1)', params: ['new'] }
    const failing = { sql: 'select 1 / $1::int', params: [0] }
    for (let n = 0; n < 4; n++) await expect(engine.batch('one', [insert, failing])).rejects.toMatchObject({ code: '22012' })

    await engine.batch('one', [insert])

    expect(await rows('one', 'select id from one.notes order by id')).toEqual([['new'], ['of one']])
  })

  it('is one of many, of which the database keeps no more than a few hundred', async () => {
    for (let n = 0; n < 400; n++) for (const _ of [1, 2]) await rows('one', `select ${n}, id from one.notes`)

    expect(await rows('one', 'select 0, id from one.notes')).toEqual([['0', 'of one']])
    expect(await prepared()).toBeLessThanOrEqual(260)
  })
})
