import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readBackupFile } from '@dot-do/worker-data/backup-file'
import { serverSession } from '@dot-do/worker-data/backup-session'
import { postgresEngine } from '@dot-do/worker-data/engines/postgres'
import { migrate } from '@dot-do/worker-data/migrations'
import { discoverServices } from '@dot-do/worker-local/host/workspace'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { runCommand, startCommand } from './commands.ts'
import { runDev, stateDirectory } from './dev-program.ts'
import { ROOT } from './program.ts'
import { FILL, sql, startStockDatabases, type StockDatabases } from './stock-databases.ts'

let databases: StockDatabases
let folder: string
let count = 0
beforeAll(async () => {
  databases = await startStockDatabases()
  folder = await mkdtemp(join(tmpdir(), 'operations-'))
}, 60_000)
afterAll(async () => {
  await databases.stop()
  await rm(folder, { recursive: true, force: true })
})

const fresh = (): string => join(folder, `${count++}.ndjson.gz`)

/** Every row of a backup, table by table, and what it counted at its end. */
async function contentOf(file: string): Promise<string[]> {
  const content: string[] = []
  for await (const record of readBackupFile(file)) {
    if ('row' in record) content.push(record.line)
    else if ('header' in record) content.push(JSON.stringify(record.header.migrations))
    else content.push(JSON.stringify(record))
  }
  return content
}

describe('pnpm db:backup and pnpm db:restore', () => {
  it('carry everything from a stock PostgreSQL to the embedded one and back, row for row', async () => {
    const [from, to] = [await databases.filled(), await databases.empty()]
    const state = await stateDirectory()
    onTestFinished(state.remove)
    const [one, two, three] = [fresh(), fresh(), fresh()]

    const wrote = await runCommand('backup.ts', [one], from)
    const restored = await runCommand('restore.ts', [one, '--state', state.dir, '--json'])
    const copied = await runCommand('backup.ts', [two, '--state', state.dir, '--json'])
    const back = await runCommand('restore.ts', [two], to)
    await runCommand('backup.ts', [three], to)

    expect([wrote, restored, copied, back].map(({ code, stderr }) => ({ code, stderr }))).toEqual(Array(4).fill({ code: 0, stderr: '' }))
    expect(await contentOf(three)).toEqual(await contentOf(one))
    expect(JSON.parse(restored.stdout)).toMatchObject({ tables: { 'db.things': 500, 'db.thing_versions': 500 } })
    expect(JSON.parse(copied.stdout)).toMatchObject({ file: two, tables: { 'db.things': 500 } })
    expect(wrote.stdout).toMatch(/^\/.*\.ndjson\.gz: [\d,]+ rows of postgresql:\/\/127\.0\.0\.1:\d+\/operations_\d+, [\d.]+ [kM]B\n$/)
    expect((await stat(one)).mode & 0o777).toBe(0o600)
  })

  it('leave a file and a database that are there alone, unless rows are to be replaced', async () => {
    const env = await databases.filled()
    const file = fresh()
    await runCommand('backup.ts', [file], env)
    const before = await readFile(file)
    await sql(env.DATABASE_URL, `delete from db.thing_versions where id <> 'note/1'`)

    const again = await runCommand('backup.ts', [file], env)
    const refused = await runCommand('restore.ts', [file], env)
    const left = await sql(env.DATABASE_URL, 'select count(*) from db.thing_versions')
    const replaced = await runCommand('restore.ts', [file, '--replace'], env)

    expect(again).toMatchObject({ code: 1, stderr: `${file} is there already\n` })
    expect(await readFile(file)).toEqual(before)
    expect(refused).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/^The database has rows, in .*; --replace removes them first\n$/) })
    expect(left).toEqual([['1']])
    expect(replaced).toMatchObject({ code: 0 })
    expect(await sql(env.DATABASE_URL, 'select count(*) from db.thing_versions')).toEqual([['500']])
  })

  it('change nothing for a file that is cut or damaged, not even a database that is yet to be migrated', async () => {
    const [from, to] = [await databases.filled(), await databases.empty()]
    const file = fresh()
    await runCommand('backup.ts', [file], from)
    const bytes = await readFile(file)
    const broken = {
      cut: bytes.subarray(0, bytes.length >> 1),
      empty: new Uint8Array(),
      text: Buffer.from('{"format":"dot-do-backup"}\n'),
      flipped: Buffer.from(bytes),
    }
    broken.flipped.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1)

    for (const [name, content] of Object.entries(broken)) {
      const path = join(folder, `${name}.gz`)
      await writeFile(path, content)
      const { code, stderr } = await runCommand('restore.ts', [path], to)
      expect([name, code]).toEqual([name, 1])
      expect(stderr).toMatch(/backup/)
    }

    expect(await sql(to.DATABASE_URL, `select to_regclass('platform.migrations')`)).toEqual([[null]])
  })

  it('bring back a backup that is older than the last migrations, and run those that came later', async () => {
    const [from, to] = [await databases.empty(), await databases.empty()]
    const engine = postgresEngine({ url: from.DATABASE_URL, passwordOf: async () => '' })
    await migrate(engine, await discoverServices(ROOT), { roleSecret: from.DB_ROLE_SECRET, only: ({ service }) => service !== 'dispatcher' })
    await engine.close()
    await sql(from.DATABASE_URL, FILL)
    const file = fresh()
    await runCommand('backup.ts', [file], from)

    const { code, stdout, stderr } = await runCommand('restore.ts', [file], to)

    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('applied dispatcher/migrations/0001_domains.sql, which came after the backup\n')
    expect(await sql(to.DATABASE_URL, 'select count(*) from db.things')).toEqual([['500']])
    expect(await runCommand('migrate.ts', ['--json'], to)).toMatchObject({ stdout: expect.stringContaining('"applied":[]') })
  })

  it('leave nothing behind when they are interrupted', async () => {
    const env = await databases.filled()
    const file = fresh()
    const holder = await serverSession(env.DATABASE_URL)
    onTestFinished(() => holder.close())
    await holder.query('begin')
    await holder.query('lock table db.things in access exclusive mode')

    const { pid, ended } = startCommand('backup.ts', [file], env)
    const waiting = `select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
    await expect.poll(() => sql(env.DATABASE_URL, waiting), { timeout: 120_000 }).toEqual([['1']])
    process.kill(pid, 'SIGINT')
    await holder.query('rollback')
    const { code, stderr } = await ended

    expect({ code, stderr }).toEqual({ code: 130, stderr: 'interrupted\n' })
    for (const name of [file, `${file}.partial`]) await expect(stat(name)).rejects.toThrow('ENOENT')
  })

  it('keep off an embedded database that is in use and say whose it is; later it goes to a server, but for what that cannot have', async () => {
    const state = await stateDirectory()
    const program = runDev(state.dir)
    onTestFinished(() => program.end().then(state.remove))
    await program.ready()
    await runCommand('seed.ts', ['--state', state.dir])
    const file = fresh()

    const early = await runCommand('backup.ts', [file, '--state', state.dir])
    process.kill(program.pid, 'SIGTERM')
    await program.exit
    const backup = await runCommand('backup.ts', [file, '--state', state.dir])
    const occupied = await runCommand('restore.ts', [file, '--state', state.dir])
    const restored = await runCommand('restore.ts', [file, '--json'], await databases.empty())

    expect(early).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`is in use by process ${program.pid}: the embedded database has one user at a time`),
    })
    expect(backup).toMatchObject({ code: 0, stderr: '' })
    expect(occupied).toMatchObject({ code: 1, stderr: expect.stringContaining('--replace removes them first') })
    expect(JSON.parse(restored.stdout)).toMatchObject({
      tables: { 'db.things': 13, 'db.relationships': 18, 'auth.keys': 1 },
      leftOut: [{ table: 'db.embeddings', rows: expect.any(Number) }],
    })
  })

  it('refuse two names for one database', async () => {
    const { code, stderr } = await runCommand('backup.ts', ['--state', folder], { DATABASE_URL: 'postgres://localhost/x' })

    expect(code).toBe(2)
    expect(stderr).toContain('DATABASE_URL names one database and --state another')
  })
})
