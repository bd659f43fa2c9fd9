import { PGlite } from '@electric-sql/pglite'
import { vector } from '@electric-sql/pglite-pgvector'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { backupLines } from '../../src/backup.ts'
import { serverSession, sessionOf } from '../../src/backup-session.ts'
import { embeddedEngine } from '../../src/engines/embedded.ts'
import { postgresEngine } from '../../src/engines/postgres.ts'
import { migrate } from '../../src/migrations.ts'
import { startStockPostgres } from '../../src/stock-postgres.ts'
import type { StockPostgres } from '../../src/stock-postgres.ts'
import { BACKUP_MIGRATIONS, backupSuite, fill, linesFrom, restoreFrom, rowsOf } from '../backup-suite.ts'
import type { BackupGround } from '../backup-suite.ts'
import { workspace } from '../workspace.ts'
import type { Workspace } from '../workspace.ts'

const roleSecret = 'the secret of the backup suite'

let stock: StockPostgres
let folders: Workspace
let count = 0
beforeAll(async () => {
  stock = await startStockPostgres()
  folders = await workspace(BACKUP_MIGRATIONS)
}, 60_000)
afterAll(async () => {
  await folders.remove()
  await stock.stop()
})

async function statement(sql: string, url = stock.url): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(sql).finally(() => client.end())
}

/** A database of its own, whose locale orders text as people do. */
async function openStock(): Promise<BackupGround & { url: string }> {
  const name = `backup_${count++}`
  await statement(`create database ${name} template template0 locale_provider icu icu_locale 'de' locale 'C'`)
  const url = stock.url.replace(/\/postgres$/, `/${name}`)
  const engine = postgresEngine({ url, passwordOf: async () => '' })
  await migrate(engine, folders.services, { roleSecret })
  await engine.close()
  const session = await serverSession(url)
  return { session, close: session.close, url }
}

async function openEmbedded(): Promise<BackupGround> {
  const engine = await embeddedEngine()
  await migrate(engine, folders.services, { roleSecret })
  const dump = await engine.dump()
  await engine.close()
  const session = sessionOf(await PGlite.create({ loadDataDir: dump, extensions: { vector } }))
  return { session, close: session.close }
}

describe('a backup of a stock PostgreSQL', () => {
  backupSuite(openStock)

  it('is of one moment, however much is written while it is made', async () => {
    const { session, close, url } = await openStock()
    onTestFinished(close)
    await fill(session)
    const before = await linesFrom(session)
    const during: string[] = []

    for await (const line of backupLines(session, { at: '2026-11-21T12:00:00.000Z' })) {
      if (line.startsWith('{"table":')) await statement(`insert into notes.pairs values ('during ${during.length}', 1); delete from tags.tags`, url)
      during.push(line)
    }

    expect(rowsOf(during).slice(0, -1)).toEqual(rowsOf(before).slice(0, -1))
    expect((await session.query('select count(*) from tags.tags')).rows).toEqual([['0']])
  })

  it('is restored by an owner who is no superuser, with triggers and foreign keys as they were', async () => {
    const { session, close, url } = await openStock()
    onTestFinished(close)
    const full = await openStock()
    onTestFinished(full.close)
    await fill(full.session)
    const lines = await linesFrom(full.session)
    const name = `plain_${count++}`
    await statement(`create role ${name} login password 'plain'; grant ${name} to owner`)
    const objects = `select format('alter table %s owner to ${name}', c.oid::regclass) from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname in ('notes', 'tags') and c.relkind = 'r'`
    for (const [sql] of (await session.query(objects)).rows) await session.query(sql ?? '')
    await session.query(`grant usage on schema platform, notes, tags to ${name}`)
    await session.query(`grant create on schema notes to ${name}`)
    await session.query(`grant select on all tables in schema platform to ${name}`)
    const plain = await serverSession(url.replace('owner:owner', `${name}:plain`))
    onTestFinished(plain.close)

    await restoreFrom(plain, lines)

    expect(rowsOf(await linesFrom(session))).toEqual(rowsOf(lines))
    await session.query(`insert into notes.pages (id) values ('new')`)
    expect((await session.query('select count(*) from notes.log')).rows).toEqual([['5']])
    await expect(session.query(`update notes.pages set parent = 'nowhere' where id = 'new'`)).rejects.toThrow('pages_parent_fkey')
  })
})

describe('a backup that crosses engines', () => {
  it('has the same rows and the same hashes on both', async () => {
    const [embedded, server, back] = [await openEmbedded(), await openStock(), await openEmbedded()]
    for (const { close } of [embedded, server, back]) onTestFinished(close)
    await fill(embedded.session)
    const lines = await linesFrom(embedded.session)

    await restoreFrom(server.session, lines)
    const onServer = await linesFrom(server.session)
    await restoreFrom(back.session, onServer)

    expect(rowsOf(onServer)).toEqual(rowsOf(lines))
    expect(await linesFrom(back.session)).toEqual(lines)
  })
})
