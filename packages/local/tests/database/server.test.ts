import { embeddedEngine } from '@dot-do/worker-data/engines/embedded'
import type { EmbeddedEngine } from '@dot-do/worker-data/engines/embedded'
import { migrate } from '@dot-do/worker-data/migrations'
import { NeonDbError } from '@neondatabase/serverless'
import type { NeonQueryFunction } from '@neondatabase/serverless'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startDatabaseServer } from '../../src/database/server.ts'
import type { DatabaseServer } from '../../src/database/server.ts'
import { connect, roleSecret, state } from './services.ts'
import type { State } from './services.ts'

let files: State
let engine: EmbeddedEngine
let server: DatabaseServer
let url: string
let sql: NeonQueryFunction<false, false>

beforeAll(async () => {
  files = await state()
  engine = await embeddedEngine()
  await migrate(engine, files.services, { roleSecret })
  server = await startDatabaseServer({ engine, services: files.services, roleSecret })
  url = `http://127.0.0.1:${server.port}`
  sql = await connect(url, 'notes')
}, 60_000)
afterAll(async () => {
  await server.close()
  await engine.close()
  await files.remove()
})
beforeEach(() => engine.script('truncate notes.pages'))

describe('the real driver', () => {
  it.each([
    ['int', 'int', 7, 7],
    ['bigint', 'bigint', '9007199254740993', '9007199254740993'],
    ['numeric', 'numeric', '1.50', '1.50'],
    ['boolean', 'boolean', true, true],
    ['jsonb', 'jsonb', { a: [1, null] }, { a: [1, null] }],
    ['timestamptz', 'timestamptz', '2026-11-01T00:00:00Z', new Date('2026-11-01T00:00:00Z')],
    ['a text array', 'text[]', ['a', 'b"c', null], ['a', 'b"c', null]],
    ['an int array', 'int[]', [1, 2], [1, 2]],
    ['null', 'text', null, null],
    ['bytea', 'bytea', Buffer.from([0, 1, 255]), Buffer.from([0, 1, 255])],
    ['text beyond ASCII', 'text', 'naïve 漢字 🙂 \\ \' "', 'naïve 漢字 🙂 \\ \' "'],
  ])('gets %s back as it was', async (_name, type, value, expected) => {
    const rows = await sql.query(`select $1::${type} as value`, [value])

    expect(rows).toEqual([{ value: expected }])
  })

  it('gets the command, the count and the fields when it asks for them', async () => {
    const result = await sql.query(`insert into pages (id) values ('a'), ('b') returning id`, [], { fullResults: true })

    expect(result).toMatchObject({ command: 'INSERT', rowCount: 2, fields: [{ name: 'id', dataTypeID: 25 }], rows: [{ id: 'a' }, { id: 'b' }] })
  })

  it('runs a transaction in order, and whole', async () => {
    const [, rows] = await sql.transaction([sql`insert into pages (id) values ('a')`, sql`select id from pages`])

    expect(rows).toEqual([{ id: 'a' }])
  })

  it('undoes a transaction that fails', async () => {
    const refused = sql.transaction([sql`insert into pages (id) values ('a')`, sql`insert into pages (id) values ('a')`])

    await expect(refused).rejects.toMatchObject({
      name: 'NeonDbError',
      code: '23505',
      table: 'pages',
      schema: 'notes',
      constraint: 'pages_pkey',
      severity: 'ERROR',
    })
    expect(await sql`select id from pages`).toEqual([])
  })

  it('gets the transaction modes it asks for', async () => {
    const modes = sql`select current_setting('transaction_isolation') as isolation, current_setting('transaction_read_only') as only, current_setting('transaction_deferrable') as late`

    const [rows] = await sql.transaction([modes], { isolationLevel: 'Serializable', readOnly: true, deferrable: true })

    expect(rows).toEqual([{ isolation: 'serializable', only: 'on', late: 'on' }])
    await expect(sql.transaction([sql`insert into pages (id) values ('a')`], { readOnly: true })).rejects.toMatchObject({ code: '25006' })
  })

  it.each([
    ['a wrong password', 'notes', 'wrong'],
    ['another role with its own wrong password', 'auth', undefined],
    ['the owner', 'postgres', undefined],
  ])('is refused with %s', async (_what, role, password) => {
    const stranger = await connect(url, role, password)

    const refused = stranger`select 1`

    await expect(refused).rejects.toThrow(NeonDbError)
    await expect(stranger`select 1`).rejects.toMatchObject({ code: '28P01', severity: 'FATAL' })
  })

  it('lets another service in once it is admitted', async () => {
    await migrate(engine, [...files.services, { name: 'later', folder: files.dir }], { roleSecret })
    const later = await connect(url, 'later')
    await expect(later`select 1`).rejects.toMatchObject({ code: '28P01' })

    await server.admit([{ name: 'later' }])

    expect(await later`select current_user as role`).toEqual([{ role: 'later' }])
  })

  it('is told when an answer is too large', async () => {
    await expect(sql`select repeat('x', 1000000) from generate_series(1, 34)`).rejects.toMatchObject({ code: '54000' })
  })
})

describe('a request by hand', () => {
  const headers = async (changed: Record<string, string> = {}): Promise<Record<string, string>> => {
    const { rolePassword } = await import('@dot-do/worker-data/role-password')
    const connection = `postgresql://notes:${await rolePassword(roleSecret, 'notes')}@localhost/platform`
    return { 'Neon-Connection-String': connection, 'Neon-Raw-Text-Output': 'true', 'Neon-Array-Mode': 'true', ...changed }
  }
  const post = async (body: string, changed?: Record<string, string>): Promise<{ status: number; body: unknown }> => {
    const response = await fetch(`${url}/sql`, { method: 'POST', body, headers: await headers(changed) })
    return { status: response.status, body: await response.json() }
  }

  it.each([
    ['no JSON', '{', /not JSON/],
    ['no object', '[]', /must be an object/],
    ['no query', '{}', /body\.query must be a string/],
    ['a query that is no text', '{"query":1}', /body\.query must be a string/],
    ['params that are no list', '{"query":"select 1","params":{}}', /body\.params must be an array/],
    ['queries that are no list', '{"queries":1}', /"queries" must be an array/],
    ['a query in a batch that is none', '{"queries":[{"query":"select 1"},null]}', /queries\[1\] must be an object/],
    ['an empty batch', '{"queries":[]}', /at least one statement/],
    ['two statements', '{"query":"select 1; select 2"}', /multiple commands/],
    ['a NUL in the statement', '{"query":"select 1\\u0000"}', /NUL/],
    ['a NUL in a value', '{"query":"select $1::text","params":["a\\u0000b"]}', /invalid byte sequence/],
    ['too few values', '{"query":"select $1::text"}', /bind message supplies 0 parameters/],
  ])('with %s is answered 400, and says why', async (_what, body, message) => {
    expect(await post(body)).toMatchObject({ status: 400, body: { message: expect.stringMatching(message), code: expect.stringMatching(/^[0-9A-Z]{5}$/) } })
    expect(await post('{"query":"select 1"}')).toMatchObject({ status: 200, body: { rows: [['1']] } })
  })

  it.each([
    ['no connection string', { 'Neon-Connection-String': '' }],
    ['another protocol', { 'Neon-Connection-String': 'mysql://notes:x@localhost/platform' }],
    ['no user', { 'Neon-Connection-String': 'postgresql://localhost/platform' }],
    ['values that are not text', { 'Neon-Raw-Text-Output': 'false' }],
    ['rows that are not arrays', { 'Neon-Array-Mode': 'false' }],
  ])('with %s is answered 400', async (_what, changed) => {
    expect(await post('{"query":"select 1"}', changed)).toMatchObject({ status: 400, body: { code: '08P01' } })
  })

  it('with an unknown isolation level is answered 400', async () => {
    expect(await post('{"queries":[{"query":"select 1"}]}', { 'Neon-Batch-Isolation-Level': 'Chaos' })).toMatchObject({ status: 400, body: { code: '08P01' } })
  })

  it('over 8 MiB is answered 400', async () => {
    expect(await post(JSON.stringify({ query: 'select 1', params: ['x'.repeat(8 * 1024 * 1024)] }))).toMatchObject({
      status: 400,
      body: { message: expect.stringMatching(/larger than/) },
    })
  })

  it('says nothing of a connection string it cannot read', async () => {
    const { body } = await post('{"query":"select 1"}', { 'Neon-Connection-String': 'postgresql//notes:hunter2@x' })

    expect(JSON.stringify(body)).not.toContain('hunter2')
  })

  it('for health is answered once the database answers', async () => {
    const response = await fetch(`${url}/health`)

    expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }])
  })

  it('for anything else is answered 404', async () => {
    expect((await fetch(`${url}/sql`)).status).toBe(404)
  })
})
