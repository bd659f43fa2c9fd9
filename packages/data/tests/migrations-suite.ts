import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Engine } from '../src/engines/engine.ts'
import { migrate } from '../src/migrations.ts'
import { workspace } from './workspace.ts'
import type { Workspace } from './workspace.ts'

const secret = { roleSecret: 'the secret of the migrations suite' }
const first = `create table notes.pages (id text primary key); insert into notes.pages values ('one');`
const second = 'alter table notes.pages add column title text;'

/** What migrations promise, shown on one engine. `open` gives an empty database each time. */
// long: a suite, which runs against every engine
export function migrationsSuite(open: () => Promise<Engine>): void {
  let engine: Engine
  let folders: Workspace
  const rows = async (sql: string) => (await engine.batch(null, [{ sql, params: [] }]))[0]?.rows

  beforeEach(async () => {
    engine = await open()
    folders = await workspace({ notes: { '0001_pages.sql': first }, idle: {} })
  }, 60_000)
  afterEach(async () => {
    await engine.close()
    await folders.remove()
  })

  it('applies what is new, in order, and nothing twice', async () => {
    const one = await migrate(engine, folders.services, secret)
    await folders.write('notes', { '0001_pages.sql': first, '0002_title.sql': second })
    const two = await migrate(engine, folders.services, secret)
    const three = await migrate(engine, folders.services, secret)

    expect(one.applied).toEqual([{ service: 'notes', name: '0001_pages.sql' }])
    expect(two.applied).toEqual([{ service: 'notes', name: '0002_title.sql' }])
    expect(three.applied).toEqual([])
    expect(await rows('select id, title from notes.pages')).toEqual([['one', null]])
  })

  it('asks one question when there is nothing to do', async () => {
    await migrate(engine, folders.services, secret)
    const asked: string[] = []
    const counted: Engine = {
      batch: (role, statements, options) => (asked.push('batch'), engine.batch(role, statements, options)),
      script: (sql) => (asked.push('script'), engine.script(sql)),
      close: () => engine.close(),
    }

    await migrate(counted, folders.services, secret)

    expect(asked).toEqual(['batch'])
  })

  it.each([
    ['changed', { '0001_pages.sql': `${first} --`, '0002_title.sql': second }, /notes\/migrations\/0001_pages\.sql was changed/],
    ['removed', { '0002_title.sql': second }, /notes\/migrations\/0001_pages\.sql was applied and is gone/],
  ])('refuses an applied file that was %s, before anything runs', async (_how, files, message) => {
    await migrate(engine, folders.services, secret)
    await folders.write('notes', files)

    const refused = migrate(engine, folders.services, secret)

    await expect(refused).rejects.toThrow(message)
    expect(await rows('select name from platform.migrations')).toEqual([['0001_pages.sql']])
    expect(await rows('select * from notes.pages')).toEqual([['one']])
  })

  it('takes a file that fails back whole, names it, and applies it once it is mended', async () => {
    await folders.write('notes', { '0001_pages.sql': first, '0002_title.sql': `${second} select 1/0;` })

    const refused = migrate(engine, folders.services, secret)

    await expect(refused).rejects.toThrow('notes/migrations/0002_title.sql: division by zero')
    expect(await rows('select * from notes.pages')).toEqual([['one']])
    await folders.write('notes', { '0001_pages.sql': first, '0002_title.sql': second })
    expect((await migrate(engine, folders.services, secret)).applied).toEqual([{ service: 'notes', name: '0002_title.sql' }])
  })

  it('is safe to run twice at once', async () => {
    await folders.write('notes', { '0001_pages.sql': first, '0002_title.sql': second })

    const both = await Promise.all([migrate(engine, folders.services, secret), migrate(engine, folders.services, secret)])

    expect(both.flatMap(({ applied }) => applied.map(({ name }) => name)).sort()).toEqual(['0001_pages.sql', '0002_title.sql'])
    expect(await rows('select id, title from notes.pages')).toEqual([['one', null]])
  })

  it.each([
    ['a name without a number', { 'pages.sql': first }, /NNNN_name\.sql/],
    ['two files of one number', { '0001_a.sql': first, '0001_b.sql': second }, /number 0001/],
    ['a file that commits', { '0001_a.sql': 'create table notes.a ();\ncommit;' }, /may not end it/],
  ])('refuses %s', async (_what, files, message) => {
    await folders.write('notes', files)

    await expect(migrate(engine, folders.services, secret)).rejects.toThrow(message)
  })

  it('refuses a service that has the name of the owner or of a schema of the database', async () => {
    const [owner] = (await rows('select current_user')) ?? []

    for (const name of [owner?.[0] ?? '', 'platform', 'pg_catalog', 'Big', "a'b"]) {
      await expect(migrate(engine, [{ name, folder: 'nowhere' }], secret)).rejects.toThrow(/cannot name a schema|is not a service's/)
    }
  })

  it('brings a role back that was given too much', async () => {
    await migrate(engine, folders.services, secret)
    await engine.script('grant idle to notes; grant create on schema notes to notes; delete from platform.roles')

    await migrate(engine, folders.services, secret)

    expect(await rows(`select pg_has_role('notes', 'idle', 'member'), has_schema_privilege('notes', 'notes', 'create')`)).toEqual([['f', 'f']])
  })
}
