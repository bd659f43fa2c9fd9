import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Engine, Result } from '../src/engines/engine.ts'
import { migrate } from '../src/migrations.ts'
import { workspace } from './workspace.ts'
import type { Workspace } from './workspace.ts'

export const roleSecret = 'the secret of the isolation suite'

const names = ['alpha', 'beta', 'db']
const secret = (service: string): string => `the secret of ${service}`

const tables = (service: string): string => `
create table ${service}.secrets (id serial primary key, text text not null);
insert into ${service}.secrets (text) values ('${secret(service)}');
create function ${service}.reveal() returns text language sql security definer set search_path = '' as $$ select text from ${service}.secrets limit 1 $$;
`

type Attack = (victim: string) => string[]

// Each string is a batch of its own, so that what an earlier one leaves in the session counts for the next.
const attacks: Record<string, Attack> = {
  'a plain read': (victim) => [`select text from ${victim}.secrets`],
  'a read behind comments and parentheses': (victim) => [`/* a /* b */ */ -- c\n ((select text from ${victim}.secrets))`],
  'a join in a common table expression': (victim) => [`with s as (select text from ${victim}.secrets) select * from s`],
  TABLE: (victim) => [`table ${victim}.secrets`],
  'a function of the other': (victim) => [`select ${victim}.reveal()`],
  'a sequence of the other': (victim) => [`select nextval('${victim}.secrets_id_seq')`],
  'reset role': (victim) => ['reset role', `select text from ${victim}.secrets`],
  'set role': (victim) => [`set role "${victim}"`, `select text from ${victim}.secrets`],
  'set session authorization': (victim) => [`set session authorization "${victim}"`, `select text from ${victim}.secrets`],
  'discard all': (victim) => ['discard all', `select text from ${victim}.secrets`],
  'set_config to nobody': (victim) => [`select set_config('role', 'none', false)`, `select text from ${victim}.secrets`],
  'set_config to the other': (victim) => [`select set_config('role', '${victim}', false)`, `select text from ${victim}.secrets`],
  'set_config inside the query that reads': (victim) => [`select text, set_config('role', '${victim}', false) from ${victim}.secrets`],
  'set_config in a common table expression': (victim) => [
    `with c as materialized (select set_config('role', '${victim}', false)) select text from c, ${victim}.secrets`,
  ],
  'set_config by an escaped name': (victim) => [`select U&"s\\0065t_config"('role', 'none', false)`, `select text from ${victim}.secrets`],
  'query_to_xml that resets the role': (victim) => [`select query_to_xml('reset role', false, false, '')`, `select text from ${victim}.secrets`],
  'query_to_xml that calls set_config': (victim) => [
    `select query_to_xml('select set_config(''role'', ''none'', false)', false, false, '')`,
    `select text from ${victim}.secrets`,
  ],
  'query_to_xml that reads': (victim) => [`select query_to_xml('select text from ${victim}.secrets', false, false, '')`],
  table_to_xml: (victim) => [`select table_to_xml('${victim}.secrets', false, false, '')`],
  schema_to_xml: (victim) => [`select schema_to_xml('${victim}', false, false, '')`],
  ts_stat: (victim) => [`select * from ts_stat('select to_tsvector(text) from ${victim}.secrets')`],
  ts_rewrite: (victim) => [`select ts_rewrite('a'::tsquery, 'select ''a''::tsquery, to_tsquery(quote_literal(text)) from ${victim}.secrets')`],
  DO: (victim) => [`do $$ begin execute 'reset role'; end $$`, `select text from ${victim}.secrets`],
  'a function that sets the role': (victim) => [
    `create function pg_temp.f() returns text language sql set role = '${victim}' as $$ select text from ${victim}.secrets $$`,
    `create function f() returns text language sql set role = '${victim}' as $$ select text from ${victim}.secrets $$`,
    `select f()`,
  ],
  'update of pg_settings': (victim) => [`update pg_settings set setting = 'none' where name = 'role'`, `select text from ${victim}.secrets`],
  'two statements in one text': (victim) => [`select 1; select text from ${victim}.secrets`, `select 1; reset role`, `select text from ${victim}.secrets`],
  'a statement after a NUL': (victim) => [`select 1\0; reset role`, `select text from ${victim}.secrets`],
  'the end of the transaction': (victim) => ['commit', 'rollback', 'end', 'begin', `select text from ${victim}.secrets`],
  'select into': (victim) => [`select text into copy from ${victim}.secrets`, `select text into temp copy from ${victim}.secrets`, 'select * from copy'],
  'create table as': (victim) => [
    `create table copy as select text from ${victim}.secrets`,
    `create temp table copy as select text from ${victim}.secrets`,
    'select * from copy',
  ],
  COPY: (victim) => [
    `copy ${victim}.secrets to stdout`,
    `copy (select text from ${victim}.secrets) to '/tmp/secrets'`,
    `copy ${victim}.secrets to program 'cat'`,
  ],
  'PREPARE and EXECUTE': (victim) => ['prepare p as select 1', `prepare q as select text from ${victim}.secrets`, 'execute q'],
  'a cursor': (victim) => [
    `declare c cursor with hold for select text from ${victim}.secrets`,
    'fetch all from c',
    `select cursor_to_xml('c', 10, false, false, '')`,
  ],
  'EXPLAIN ANALYZE': (victim) => [`explain (analyze, verbose) select text from ${victim}.secrets`],
  'a grant of the role': (victim) => [`grant "${victim}" to current_user`, `grant all on ${victim}.secrets to public`, `select text from ${victim}.secrets`],
  'a view': (victim) => [`create view v as select text from ${victim}.secrets`, 'select * from v'],
  'the files of the server': () => [`select pg_read_file('PG_VERSION')`, `select pg_ls_dir('.')`, `select lo_import('/etc/passwd')`],
  'statistics of the table': (victim) => [`select most_common_vals::text, histogram_bounds::text from pg_stats where schemaname = '${victim}'`],
  'password hashes': () => ['select rolpassword from pg_authid', 'select passwd from pg_shadow'],
  'the records of migrations': () => ['select * from platform.migrations', 'select * from platform.roles'],
  'an insert': (victim) => [`insert into ${victim}.secrets (text) values ('forged')`],
  'an update': (victim) => [`update ${victim}.secrets set text = 'forged'`],
  'a delete': (victim) => [`delete from ${victim}.secrets`],
  'a merge': (victim) => [`merge into ${victim}.secrets s using (select 1) o on true when matched then delete`],
  'a write in a common table expression': (victim) => [`with d as (delete from ${victim}.secrets returning text) select * from d`],
  DDL: (victim) => [
    `drop table ${victim}.secrets`,
    `truncate ${victim}.secrets`,
    `alter table ${victim}.secrets owner to current_user`,
    `drop schema ${victim} cascade`,
  ],
  'a table in public': () => ['create table public.shared (text text)', 'insert into public.shared values (1)'],
}

const pairs = names.flatMap((attacker) => names.filter((victim) => victim !== attacker).map((victim) => ({ attacker, victim })))

/** The wall between services, shown on one engine. The engine is new for the suite, and its pool, if any, has one connection per role. */
// long: a suite, which runs against every engine
export function isolationSuite(open: () => Promise<{ engine: Engine; close(): Promise<void> }>): void {
  let engine: Engine
  let close: () => Promise<void>
  let folders: Workspace
  const owner = async (sql: string): Promise<Result['rows']> => (await engine.batch(null, [{ sql, params: [] }]))[0]?.rows ?? []
  const outcome = (role: string, sql: string): Promise<string> =>
    engine.batch(role, [{ sql, params: [] }]).then((results) => JSON.stringify(results.map(({ rows }) => rows)), String)

  beforeAll(async () => {
    folders = await workspace(Object.fromEntries(names.map((name) => [name, { '0001_secrets.sql': tables(name) }])))
    ;({ engine, close } = await open())
    await migrate(engine, folders.services, { roleSecret })
  }, 60_000)
  afterAll(async () => {
    await close()
    await folders.remove()
  })

  describe.each(pairs)('$attacker against $victim', ({ attacker, victim }) => {
    it.each(Object.entries(attacks))('%s reveals and changes nothing', async (_name, attack) => {
      const before = await owner(`select * from ${victim}.secrets`)

      const outcomes: string[] = []
      for (const sql of attack(victim)) outcomes.push(await outcome(attacker, sql))

      expect(outcomes.join('\n')).not.toContain(secret(victim))
      expect(await owner(`select * from ${victim}.secrets`)).toEqual(before)
      expect(await owner(`select is_called from ${victim}.secrets_id_seq`)).toEqual([['t']])
      expect(await owner(`select last_value from ${victim}.secrets_id_seq`)).toEqual([['1']])
      expect(await outcome(attacker, 'select current_user')).toBe(`[[["${attacker}"]]]`)
      expect(await outcome(attacker, `select text from ${victim}.secrets`)).toMatch(/permission denied/)
    })
  })

  it.each(names)('lets %s read and write its own rows, and call its own functions', async (service) => {
    const insert = { sql: `insert into ${service}.secrets (text) values ($1) returning text`, params: ['one more'] }

    const [inserted, found] = await engine.batch(service, [insert, { sql: `select ${service}.reveal()`, params: [] }])
    await engine.batch(service, [{ sql: `delete from ${service}.secrets where text = 'one more'`, params: [] }])

    expect(inserted?.rows).toEqual([['one more']])
    expect(found?.rows).toEqual([[secret(service)]])
    expect(await owner(`select text from ${service}.secrets`)).toEqual([[secret(service)]])
    await owner(`select setval('${service}.secrets_id_seq', 1)`)
  })

  it('gives the reader the rows of its service, to read', async () => {
    expect(await outcome('db_reader', 'select text from secrets')).toContain(secret('db'))
    expect(await outcome('db_reader', `insert into secrets (text) values ('x')`)).toMatch(/read-only transaction/)
    expect(await outcome('db_reader', `select text from alpha.secrets`)).toMatch(/permission denied/)
  })

  it.each(['alpha', 'db_reader'])('leaves nothing of %s in the session for the next batch', async (role) => {
    await outcome(role, `select set_config('leak.value', 'left', false), set_config('default_transaction_read_only', 'off', false)`)
    await outcome(role, 'select pg_advisory_lock(7)')
    await outcome(role, `select pg_try_advisory_lock_shared(8)`)

    const next = await outcome(
      role,
      `select coalesce(nullif(current_setting('leak.value', true), ''), 'nothing'), current_setting('default_transaction_read_only')`,
    )

    expect(next).toBe(`[[["nothing","${role === 'db_reader' ? 'on' : 'off'}"]]]`)
    expect(await owner(`select count(*) from pg_locks where locktype = 'advisory'`)).toEqual([['0']])
  })

  it('runs all statements of a batch or none', async () => {
    const insert = { sql: `insert into alpha.secrets (id, text) values (99, 'half')`, params: [] }

    const refused = await engine.batch('alpha', [insert, insert]).catch((error: unknown) => error)

    expect(refused).toMatchObject({ code: '23505', fields: { schema: 'alpha', table: 'secrets', constraint: 'secrets_pkey', severity: 'ERROR' } })
    expect(await owner('select * from alpha.secrets where id = 99')).toEqual([])
  })

  it('takes a batch back whose answer is too large to deliver', async () => {
    const insert = { sql: `insert into alpha.secrets (id, text) values (98, 'undelivered')`, params: [] }
    const large = { sql: `select repeat('x', 1000000) from generate_series(1, 34)`, params: [] }

    const refused = await engine.batch('alpha', [insert, large]).catch((error: unknown) => error)

    expect(refused).toMatchObject({ code: '54000' })
    expect(await owner('select * from alpha.secrets where id = 98')).toEqual([])
  })

  it('keeps the modes a batch asks for', async () => {
    const sql = `select current_setting('transaction_isolation'), current_setting('transaction_read_only')`

    const [result] = await engine.batch('alpha', [{ sql, params: [] }], { isolation: 'Serializable', readOnly: true })
    const [plain] = await engine.batch('alpha', [{ sql, params: [] }])

    expect(result?.rows).toEqual([['serializable', 'on']])
    expect(plain?.rows).toEqual([['read committed', 'off']])
  })

  it('answers errors with the place in the statement, and goes on', async () => {
    const refused = await engine.batch('alpha', [{ sql: 'select nothing from secrets', params: [] }]).catch((error: unknown) => error)

    expect(refused).toMatchObject({ code: '42703', fields: { position: '8' } })
    expect(await outcome('alpha', 'select 1')).toBe('[[["1"]]]')
  })

  it('refuses a role that does not exist', async () => {
    expect(await engine.batch('nobody', [{ sql: 'select 1', params: [] }]).catch((error: unknown) => error)).toMatchObject({
      code: expect.stringMatching(/^28/),
    })
    expect(await outcome('alpha', 'select current_user')).toBe('[[["alpha"]]]')
  })
}
