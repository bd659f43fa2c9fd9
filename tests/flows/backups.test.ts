import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { vector } from '@electric-sql/pglite-pgvector'
import { readBackupFile, verifyBackupFile } from '@dot-do/worker-data/backup-file'
import { sessionOf } from '@dot-do/worker-data/backup-session'
import { embeddedEngine } from '@dot-do/worker-data/engines/embedded'
import { migrate } from '@dot-do/worker-data/migrations'
import { restoreRecords } from '@dot-do/worker-data/restore'
import { discoverServices } from '@dot-do/worker-local/host/workspace'
import { request } from 'undici'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { run } from './built-in-tasks.ts'
import { admin, ask, makeKey, unique, type Loose } from './client.ts'

const { url, port, adminKey } = inject('platform')

const ROOT = join(import.meta.dirname, '../..')

describe('backup-database', () => {
  it('makes a copy that brings everything back into an empty database', async () => {
    const { key, tenant } = await makeKey({ tenant: unique('acme'), permissions: ['things:write', 'things:read'] })
    const thing = { $id: 'letter/1', $type: 'Letter', content: 'Über alles “Gute” 漢字 🙂\n', data: { n: 1.5, list: [1, null, 'zwei'] } }
    await ask('/db/things', { key, body: thing })

    const made = await run('backup-database')
    const file = await download(String(made['key']))
    const restored = await restore(file)

    expect(made).toMatchObject({
      rows: expect.any(Number),
      services: expect.arrayContaining(['auth', 'db', 'deploy', 'dispatcher', 'gateway', 'queue', 'schedule']),
    })
    expect((await verifyBackupFile(file)).at).toBe(String(made['at']))
    expect(await restored(`select id, type, content, data::text from db.things where ns = '${tenant}'`)).toEqual([
      ['letter/1', 'Letter', thing.content, '{"n": 1.5, "list": [1, null, "zwei"]}'],
    ])
    expect(await restored(`select count(*) from auth.keys where tenant = '${tenant}'`)).toEqual([['1']])
    expect(await restored(`select count(*) from schedule.tasks where built_in`)).toEqual([['8']])
    const counts = await Promise.all(
      ['auth', 'db', 'queue', 'schedule', 'deploy', 'gateway'].map((schema) => restored(`select count(*) > 0 from pg_tables where schemaname = '${schema}'`)),
    )
    expect(counts.flat(2)).toEqual(counts.map(() => 't'))
  }, 120_000)

  it('is listed, newest first, and only those who keep the platform may read it', async () => {
    await admin('/db/maintenance/backups', { body: {} })
    const { data: made } = await admin('/db/maintenance/backups', { body: {} })
    const { key } = await makeKey({ tenant: unique('acme'), permissions: ['things:read', 'things:write'] })
    const path = `/db/maintenance/${String(made['key'])}`

    const first = await admin('/db/maintenance/backups?limit=1')
    const second = await admin(`/db/maintenance/backups?limit=1&cursor=${String(first.data['nextCursor'])}`)

    expect(first.data['items']).toEqual([made])
    expect(second.data['items']).toHaveLength(1)
    expect(String((second.data['items'] as unknown as Loose[])[0]?.['at']) < String(made['at'])).toBe(true)
    expect((await ask(path, { key })).status).toBe(403)
    expect((await ask(path)).status).toBe(401)
    expect((await ask('/db/maintenance/backups', { key })).status).toBe(403)
    for (const name of ['2020-01-01T00-00-00.000Z.ndjson.gz', 'nothing', '..%2Fsecret'])
      expect((await admin(`/db/maintenance/backups/${name}`)).status).toBe(404)
  })
})

/** Fetches a copy by its name, and keeps it as a file until the test has ended. */
async function download(key: string): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'dot-do-backup-'))
  onTestFinished(() => rm(dir, { recursive: true }))
  const headers = { host: `localhost:${port}`, authorization: `Bearer ${adminKey}` }
  const { statusCode, body } = await request(`${url.replace('localhost', '127.0.0.1')}/db/maintenance/${key}`, { headers })
  expect(statusCode).toBe(200)
  const file = join(dir, 'backup.ndjson.gz')
  await writeFile(file, Buffer.from(await body.arrayBuffer()))
  return file
}

/** Restores a file into a database that was only migrated, and gives a way to ask it. */
async function restore(file: string) {
  const engine = await embeddedEngine()
  await migrate(engine, await discoverServices(ROOT), { roleSecret: 'the secret of another platform' })
  const dump = await engine.dump()
  await engine.close()
  const session = sessionOf(await PGlite.create({ loadDataDir: dump, extensions: { vector } }))
  onTestFinished(() => session.close())
  await restoreRecords(session, readBackupFile(file), { replace: true })
  return async (text: string) => (await session.query(text)).rows
}
