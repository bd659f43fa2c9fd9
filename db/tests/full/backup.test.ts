import { resolve } from 'node:path'
import { readRecords } from '@dot-do/worker-data/backup-format'
import { serverSession } from '@dot-do/worker-data/backup-session'
import type { Engine } from '@dot-do/worker-data/engines/engine'
import { postgresEngine } from '@dot-do/worker-data/engines/postgres'
import { migrate } from '@dot-do/worker-data/migrations'
import { restoreRecords } from '@dot-do/worker-data/restore'
import { rolePassword } from '@dot-do/worker-data/role-password'
import { startStockPostgres, type StockPostgres } from '@dot-do/worker-data/stock-postgres'
import { linesOf } from '@dot-do/worker-utils/ndjson'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { startDatabaseServer, type DatabaseServer } from '../../../packages/local/src/database/server.ts'
import { backupText } from '../../src/backup/backup-text.ts'
import type { Env } from '../../src/env.ts'
import { addressOf } from '../../src/transports/address.ts'
import { Session } from '../../src/transports/session.ts'
import { nodeTcpLine } from '../node-lines.ts'

const roleSecret = 'the secret of the backup suite'
const services = [{ name: 'db', folder: resolve(import.meta.dirname, '../..') }]
let stock: StockPostgres
let engine: Engine
let server: DatabaseServer

beforeAll(async () => {
  stock = await startStockPostgres()
  engine = postgresEngine({ url: stock.url, passwordOf: (role) => rolePassword(roleSecret, role) })
  await migrate(engine, services, { roleSecret })
  server = await startDatabaseServer({ engine, services, roleSecret })
  // As an administrator somewhere may have left it.
  await engine.script(`do $$ begin
    execute format('alter database %I set timezone = ''America/New_York''', current_database());
    execute format('alter database %I set datestyle = ''German, DMY''', current_database());
    execute format('alter database %I set extra_float_digits = -15', current_database());
  end $$`)
  await engine.script(`insert into db.things (ns, id, type, content, data, visibility, version, created_at, updated_at)
    select 'default', 'note/' || n, 'Note', repeat('x', 2000), '{}', 'private', 1, timestamptz '2026-07-01 00:00:00.000001+00' + n * interval '1 day', now() from generate_series(1, 2000) n`)
  await engine.script(`insert into db.thing_versions (ns, id, version, operation, type, content, data, visibility, actor, at)
    select ns, id, version, 'upsert', type, content, data, visibility, 'me', created_at from db.things`)
})
afterAll(async () => {
  await server.close()
  await engine.close()
  await stock.stop()
})

async function open(role: string): Promise<Session> {
  const address = await addressOf(role, { DATABASE_URL: stock.url, DB_ROLE_SECRET: roleSecret } as Env, false) // an address is made of these alone
  return Session.open(address, nodeTcpLine(address))
}

describe('a copy of a stock PostgreSQL', () => {
  it('is of one moment, whoever writes meanwhile, and comes back whatever the server’s settings are', async () => {
    const env = {
      DATABASE_TRANSPORT: 'http',
      DATABASE_URL: 'postgres://database.localhost/platform',
      DB_ROLE_SECRET: roleSecret,
      DATABASE: { fetch: (_url: string, init: RequestInit) => fetch(`http://127.0.0.1:${server.port}/sql`, init) },
    } as unknown as Env // a copy uses these alone
    const before = await sql("select count(*), min(created_at at time zone 'UTC')::text from db.things")
    let lines = ''
    let isDeleted = false
    for await (const piece of backupText('2026-11-21T03:00:00.000Z', env, open)) {
      lines += piece
      if (isDeleted || !piece.includes('"note/')) continue
      await engine.script('delete from db.things; delete from db.thing_versions')
      isDeleted = true
    }

    const session = await serverSession(stock.url)
    onTestFinished(() => session.close())
    const { tables } = await restoreRecords(session, readRecords(linesOf(streamed(lines), 16 * 1024 * 1024)), { replace: true })

    expect(tables).toEqual(
      expect.arrayContaining([
        { table: 'db.things', rows: 2_000 },
        { table: 'db.thing_versions', rows: 2_000 },
      ]),
    )
    expect(await sql("select count(*), min(created_at at time zone 'UTC')::text from db.things")).toEqual(before)
  })
})

async function sql(text: string) {
  const [result] = await engine.batch(null, [{ sql: text, params: [] }])
  return result?.rows
}

async function* streamed(lines: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(lines)
}
