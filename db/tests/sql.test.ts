import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { service } from '../src/service.ts'
import { binding, owned, startDb, type DbInProcess } from './in-process.ts'

let running: DbInProcess

const as = (id: string, permissions: string[]) => binding(service, running.env, { principal: { id, permissions } })

beforeAll(async () => {
  running = await startDb(['db', 'auth'])
})
beforeEach(() => running.database.reset())
afterAll(() => running.close())

describe('query', () => {
  const query = (sql: string, params: (string | number)[] = []) => as('admin', ['db:query']).query({ sql, params })

  it.each([
    ['select 1 as one', [[1]]],
    ['select 1 as one;', [[1]]],
    ['select 1 as one;  \n', [[1]]],
    ['select 1 as one -- and a comment', [[1]]],
    ['select 1 as one /* and ; another */', [[1]]],
    ['values (1), (2)', [[1], [2]]],
    ['with numbers as (select 1 as one) select one from numbers', [[1]]],
    [`select ';' as semicolon`, [[';']]],
  ])('runs %j', async (sql, rows) => {
    expect(await query(sql)).toMatchObject({ rows, truncated: false })
  })

  it.each(['select 1 as one; select 2', 'select 1; --', 'select 1) as answer; select (2', 'delete from db.things', '', ' ', ';', '-- nothing', 'select $1'])(
    'refuses %j as INVALID or FORBIDDEN',
    async (sql) => {
      await expect(query(sql)).rejects.toMatchObject({ code: expect.stringMatching(/^(INVALID|FORBIDDEN)$/) as unknown })
    },
  )

  it.each([
    ['exactly a thousand rows', 1000, 1000, false],
    ['one more', 1001, 1000, true],
  ])('gives %s as they are, or says that there are more', async (_name, asked, given, truncated) => {
    const { rows, ...answer } = await query(`select n from generate_series(1, ${asked}) n`)

    expect({ rows: rows.length, truncated: answer.truncated }).toEqual({ rows: given, truncated })
  })

  it('gives values as JSON has them, and those of which it has no exact form as text', async () => {
    const sql = `select 9007199254740993::bigint, 1.10::numeric, timestamptz '2026-01-01 00:00:00.123456+00', array[1.10], point(1, 2), '\\x00ff'::bytea,
      true, null, '{"a": 1}'::jsonb, 1.5::float8, 7, array['a', 'b"c'], array[true], array[1, 2], array[9007199254740993], 'text'`

    const read = await query(sql)
    const written = await as('auth', ['db:execute']).execute({ statements: [{ sql }] })

    const asText = ['9007199254740993', '1.10', '2026-01-01 00:00:00.123456+00', '{1.10}', '(1,2)', '\\x00ff']
    expect(read.rows).toEqual([[...asText, true, null, { a: 1 }, 1.5, 7, ['a', 'b"c'], [true], [1, 2], ['9007199254740993'], 'text']])
    expect(written.results[0]?.rows).toEqual(read.rows)
  })

  it('keeps a parameter a value, whatever it says', async () => {
    const { rows } = await query('select $1::text', [`'; drop table db.things; --`])

    expect(rows).toEqual([[`'; drop table db.things; --`]])
  })
})

describe('execute', () => {
  it('runs under the role of the Worker that asks', async () => {
    const { results } = await as('auth', ['db:execute']).execute({ statements: [{ sql: 'select current_user' }] })

    expect(results[0]?.rows).toEqual([['auth']])
  })

  it('is one transaction, in order, with each statement’s rows', async () => {
    const insert = `insert into db.ledger (principal, operation, key, input_hash, answer) values ('a', 'b', $1, '', '{}') returning key`
    const { results } = await as('db', ['db:execute']).execute({ statements: [{ sql: insert, params: ['one'] }, { sql: 'select count(*) from db.ledger' }] })

    expect(results).toMatchObject([
      { command: 'INSERT', rowCount: 1, fields: [{ name: 'key' }], rows: [['one']] },
      { command: 'SELECT', rowCount: 1, rows: [['1']] },
    ])
  })

  it('changes nothing when it is to read only', async () => {
    const refused = as('db', ['db:execute']).execute({ statements: [{ sql: `delete from db.things` }], readOnly: true })

    await expect(refused).rejects.toMatchObject({ code: 'FORBIDDEN', details: [{ path: 'sqlstate', message: '25006' }] })
  })

  it('undoes everything when one statement fails', async () => {
    const insert = `insert into db.ledger (principal, operation, key, input_hash, answer) values ('a', 'b', 'c', '', '{}')`

    await expect(as('db', ['db:execute']).execute({ statements: [{ sql: insert }, { sql: insert }] })).rejects.toMatchObject({
      code: 'CONFLICT',
      details: [{ path: 'sqlstate' }, { path: 'constraint', message: 'ledger_pkey' }],
    })
    expect(await owned(running.database, 'select count(*) from db.ledger')).toEqual([['0']])
  })

  it('is refused to a Worker without a role of its own in the database', async () => {
    await expect(as('nobody', ['db:execute']).execute({ statements: [{ sql: 'select 1' }] })).rejects.toMatchObject({ code: 'INTERNAL' })
  })
})
