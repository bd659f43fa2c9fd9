import { describe, expect, it } from 'vitest'
import { admin, rpc, unique } from './client.ts'

const run = (binding: string, sql: string, params: unknown[] = []) => rpc(binding, 'execute', { statements: [{ sql, params }] })

/** Ways out of a role that were tried on platforms before ours, each as a statement of `auth` reaching for `db`. */
const ESCAPES = [
  'select * from db.things',
  'insert into db.things select * from db.things',
  'delete from db.thing_versions',
  'reset role',
  "set role 'db'",
  'set session authorization postgres',
  "select set_config('role', 'db', false)",
  "select pg_catalog.set_config('role', 'postgres', false)",
  "select query_to_xml('select * from db.things', true, true, '')",
  "select query_to_xml('reset role', true, true, '')",
  "select table_to_xml('db.things', true, true, '')",
  "do $$ begin perform set_config('role', 'db', false); end $$",
  "create function auth.escape() returns void language sql as 'select 1' set role = 'db'",
  'create table auth.mine (id int)',
  'create temp table mine (id int)',
  'select 1 as one into auth.mine',
  'select 1; select * from db.things',
  'begin; reset role',
  'copy db.things to stdout',
  "select pg_read_file('/etc/passwd')",
  "select lo_import('/etc/passwd')",
  'with x as (select * from db.things) select * from x',
  'select db.apply($$[]$$::jsonb, $$x$$, now())',
  'explain analyze select * from db.things',
  'grant select on auth.keys to db',
]

describe('a service’s SQL', () => {
  it.each(ESCAPES)('stays within its own schema: %s', async (sql) => {
    const { value, error } = await run('DB_AS_AUTH', sql)

    expect(value).toBeUndefined()
    expect(['FORBIDDEN', 'INVALID']).toContain(error['code'])
    expect((await run('DB_AS_AUTH', 'select current_user')).value).toMatchObject({ results: [{ rows: [['auth']] }] })
  })

  it('changes no role by way of pg_settings, whether the engine refuses or has no such row', async () => {
    const { value } = await run('DB_AS_AUTH', "update pg_settings set setting = 'db' where name = 'role' returning name")

    expect(value?.['results'] ?? [{ rows: [] }]).toMatchObject([{ rows: [] }])
    expect((await run('DB_AS_AUTH', 'select current_user')).value).toMatchObject({ results: [{ rows: [['auth']] }] })
  })

  it('reaches neither tables nor schema of any other service', async () => {
    const services = ['auth', 'db', 'deploy', 'dispatcher', 'gateway', 'mcp', 'queue', 'schedule']
    const tables = { auth: 'auth.keys', db: 'db.things', queue: 'queue.jobs', schedule: 'schedule.tasks' }
    const pairs = services.flatMap((from) =>
      Object.entries(tables)
        .filter(([to]) => to !== from)
        .map(([, table]) => [from, table] as const),
    )

    const answers = await Promise.all(pairs.map(([from, table]) => run(`DB_AS_${from.toUpperCase()}`, `select * from ${table}`)))

    expect(answers.map(({ error }) => error?.['code'])).toEqual(pairs.map(() => 'FORBIDDEN'))
  })

  it('is one transaction: what came before a failure did not happen', async () => {
    const id = unique('key')
    const insert = {
      sql: `insert into auth.keys (id, hash, preview, name, tenant, permissions, created_at, created_by) values ($1, $1, '', '', '', '{}', now(), '')`,
      params: [id],
    }

    const failed = await rpc('DB_AS_AUTH', 'execute', { statements: [insert, { sql: 'select 1 / 0', params: [] }] })
    const found = await run('DB_AS_AUTH', 'select id from auth.keys where id = $1', [id])

    expect(failed.error['code']).toBe('INVALID')
    expect(found.value).toMatchObject({ results: [{ rows: [] }] })
  })

  it('tells of a broken constraint by name, and not which value broke it', async () => {
    const sql = `insert into auth.keys (id, hash, preview, name, tenant, permissions, created_at, created_by) values ($1, $2, '', '', '', '{}', now(), '')`
    const [id, hash] = [unique('key'), unique('hash')]
    await run('DB_AS_AUTH', sql, [id, hash])

    const { error } = await run('DB_AS_AUTH', sql, [id, unique('hash')])

    expect(error).toMatchObject({
      code: 'CONFLICT',
      details: [
        { path: 'sqlstate', message: '23505' },
        { path: 'constraint', message: 'keys_pkey' },
      ],
    })
    expect(JSON.stringify(error)).not.toContain(hash)
  })
})

describe('an administrator’s query', () => {
  const query = async (sql: string, params: unknown[] = []) => rpc('DB_ADMIN', 'query', { sql, params })

  it('reads db’s own tables with parameters', async () => {
    const $id = unique('note')
    await admin('/db/things', { body: { $type: 'Note', $id } })

    const { value } = await query('select id, version from db.things where id = $1 -- a comment', [$id])

    expect(value).toEqual({ columns: ['id', 'version'], rows: [[$id, 1]], truncated: false })
  })

  it('gives at most a thousand rows, and says that there are more', async () => {
    const { value } = await query('select n from generate_series(1, 1500) n')

    expect(value['rows']).toHaveLength(1000)
    expect(value['truncated']).toBe(true)
  })

  it.each([
    "insert into db.things values ('a')",
    'delete from db.things',
    'with gone as (delete from db.things returning *) select * from gone',
    'select 1) x; delete from db.things; select * from (select 1',
    'select 1; select 2',
    'select * from auth.keys',
    "select db.apply('[]'::jsonb, 'x', now())",
    "select set_config('role', 'postgres', false)",
    'update db.things set version = 0',
    'create table db.more (id int)',
    'select pg_sleep_until(now()) from db.nothing',
  ])('changes nothing and reads nothing else: %s', async (sql) => {
    const { value, error } = await query(sql)

    expect(value).toBeUndefined()
    expect(['FORBIDDEN', 'INVALID']).toContain(error['code'])
  })
})
