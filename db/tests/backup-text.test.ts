import { PGlite } from '@electric-sql/pglite'
import { vector } from '@electric-sql/pglite-pgvector'
import { readRecords } from '@dot-do/worker-data/backup-format'
import { sessionOf } from '@dot-do/worker-data/backup-session'
import { embeddedEngine } from '@dot-do/worker-data/engines/embedded'
import { migrate } from '@dot-do/worker-data/migrations'
import { restoreRecords } from '@dot-do/worker-data/restore'
import { testRoleSecret } from '@dot-do/worker-data/testing'
import { linesOf } from '@dot-do/worker-utils/ndjson'
import { startDatabaseServer, type DatabaseServer } from '../../packages/local/src/database/server.ts'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { backupText, type Copied } from '../src/backup/backup-text.ts'
import { addressOf } from '../src/transports/address.ts'
import { Session } from '../src/transports/session.ts'
import { nodeTcpLine } from './node-lines.ts'
import { owned, startDb, type DbInProcess } from './in-process.ts'

const AT = '2026-11-21T03:00:00.000Z'

let running: DbInProcess
let server: DatabaseServer
/** Who logged in, in order, and who is logged in still. */
let logins: string[] = []
let isOpen: (() => boolean)[] = []

beforeAll(async () => {
  running = await startDb(['db', 'auth', 'queue'])
  const { database, services } = running
  server = await startDatabaseServer({ engine: database.engine, services, roleSecret: testRoleSecret })
})
beforeEach(async () => {
  await running.database.reset()
  logins = []
  isOpen = []
})
afterAll(async () => {
  await server.close()
  await running.close()
})

async function open(role: string): Promise<Session> {
  logins.push(role)
  const env = { ...running.env, DATABASE_URL: `postgres://127.0.0.1:${server.postgresPort}/platform` }
  const address = await addressOf(role, env, false)
  const session = await Session.open(address, nodeTcpLine(address))
  isOpen.push(() => session.isOpen)
  return session
}

const text = () => backupText(AT, running.env, open)

async function readAll(pieces: AsyncIterable<string>): Promise<void> {
  for await (const _piece of pieces);
}

async function copied(): Promise<{ lines: string; answer: Copied }> {
  const pieces = text()
  let lines = ''
  for (;;) {
    const { done, value } = await pieces.next()
    if (done) return { lines, answer: value }
    lines += value
  }
}

const recordsOf = (lines: string) => readRecords(linesOf(streamed(lines), 64 * 1024 * 1024))

async function* streamed(lines: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(lines)
}

/** An empty database with the same migrations, and what it holds after the copy was restored into it. */
async function restored(lines: string) {
  const engine = await embeddedEngine()
  await migrate(engine, running.services, { roleSecret: testRoleSecret })
  const dump = await engine.dump()
  await engine.close()
  const session = sessionOf(await PGlite.create({ loadDataDir: dump, extensions: { vector } }))
  onTestFinished(() => session.close())
  const { tables } = await restoreRecords(session, recordsOf(lines), { replace: true })
  const select = async (sql: string) => (await session.query(sql)).rows
  return { tables, select }
}

const THINGS = `insert into db.things (ns, id, type, content, data, visibility, version, created_at, updated_at)
  select 'default', 'note/' || n, 'Note', 'Text ' || n || ' “ü” 漢字 🙂 \\ ' || chr(10), jsonb_build_object('n', n, 'half', n / 2.0), 'private', 1,
    timestamptz '2026-01-01 00:00:00.123456+00' + n * interval '1 second', timestamptz '2026-06-30 23:59:59+00' from generate_series(1, 1200) n`

describe('a copy of the database made by db', () => {
  it('brings every row of every service back into an empty database', async () => {
    const { database } = running
    await database.engine.script(THINGS)
    await database.engine.script(
      `insert into auth.ledger (principal, operation, key, input_hash, answer) values ('a', 'b', 'c', 'd', '{"e": [1, null, "\\u2028"]}')`,
    )
    await database.engine.script(
      `insert into db.embeddings (ns, id, model, version, embedding) select 'default', 'note/1', 'm', 1, array_fill(0.125, array[384])::extensions.vector`,
    )
    const select = 'select id, content, data, created_at, xmin is null from db.things order by id collate "C"'
    const before = await owned(database, select)

    const { lines, answer } = await copied()
    const { tables, select: selectRestored } = await restored(lines)

    expect(before).toHaveLength(1_200)
    expect(await selectRestored(select)).toEqual(before)
    expect(await selectRestored('select answer::text from auth.ledger')).toEqual([['{"e": [1, null, "\u2028"]}']])
    expect(await selectRestored('select embedding::text = array_fill(0.125, array[384])::extensions.vector::text from db.embeddings')).toEqual([['t']])
    expect(tables).toContainEqual({ table: 'db.things', rows: 1_200 })
    expect(answer).toEqual({ services: ['auth', 'db', 'queue'], rows: tables.reduce((total, { rows }) => total + rows, 0) })
  }, 60_000)

  it('reads each service’s rows under that service’s own role, and leaves no connection open', async () => {
    await copied()

    expect(logins).toEqual(['auth', 'db', 'queue'])
    expect(isOpen.map((one) => one())).toEqual([false, false, false])
  })

  it('is of one moment for each service, whoever writes meanwhile', async () => {
    await running.database.engine.script(THINGS)
    const pieces = text()
    let lines = ''
    let writing: Promise<unknown> | undefined
    for await (const piece of pieces) {
      lines += piece
      // The embedded engine lets nobody else in before the transaction is over; another server would at once. Neither may show it.
      if (piece.startsWith('{"table":{"schema":"db"')) writing ??= running.database.engine.script(`delete from db.things`)
    }
    await writing

    const rows = lines.split('\n').filter((line) => line.includes('"note/'))
    expect(rows.filter((line) => line.includes('"Text '))).toHaveLength(1_200)
    expect(await owned(running.database, 'select count(*) from db.things')).toEqual([['0']])
  })

  it('lets go of its transaction when nobody reads on', async () => {
    await running.database.engine.script(THINGS)
    for await (const piece of text()) if (piece.includes('"note/1"')) break

    expect(isOpen.map((one) => one())).toContain(false)
    expect(isOpen.some((one) => one())).toBe(false)
    expect(await owned(running.database, 'select 1')).toEqual([['1']])
  })

  it('takes large rows a few at a time, and all of them', async () => {
    await running.database.engine.script(
      `insert into db.things (ns, id, type, content, data, visibility, version, created_at, updated_at)
        select 'default', 'large/' || n, 'Note', repeat('x', case when n > 20 then 1000000 else 1 end), '{}', 'private', 1, now(), now() from generate_series(10, 60) n`,
    )

    const largest: number[] = []
    for await (const piece of text()) largest.push(piece.length)

    expect(largest.reduce((total, length) => total + length, 0)).toBeGreaterThan(40_000_000)
    expect(Math.max(...largest)).toBeLessThan(9_000_000)
  })

  it('is refused, and nothing is left open, when a service’s rows cannot be reached', async () => {
    const failing = backupText(AT, running.env, (role) => (role === 'db' ? Promise.reject(new Error('connect ECONNREFUSED')) : open(role)))

    await expect(readAll(failing)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(isOpen.map((one) => one())).toEqual([false])
  })
})
