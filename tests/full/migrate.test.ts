import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCommand } from './commands.ts'
import { sql, startStockDatabases, type StockDatabases } from './stock-databases.ts'

let databases: StockDatabases
beforeAll(async () => {
  databases = await startStockDatabases()
}, 60_000)
afterAll(() => databases.stop())

describe('pnpm db:migrate', () => {
  it('migrates a database, then has nothing to do, and tells both in plain words or JSON', async () => {
    const env = await databases.empty()

    const first = await runCommand('migrate.ts', [], env)
    const second = await runCommand('migrate.ts', ['--json'], env)

    expect(first).toMatchObject({ code: 0, stderr: '' })
    expect(first.stdout).toMatch(
      /^applied auth\/migrations\/0001_keys\.sql\n(applied .*\n)+\d+ migrations applied to postgresql:\/\/127\.0\.0\.1:\d+\/operations_\d+\n$/,
    )
    expect(JSON.parse(second.stdout)).toMatchObject({ database: expect.stringMatching(/^postgresql:\/\/127/), applied: [] })
    expect(first.stdout + second.stdout).not.toContain('owner:owner')
  })

  it('applies each migration once when two run at once', async () => {
    const env = await databases.empty()

    const both = await Promise.all([runCommand('migrate.ts', ['--json'], env), runCommand('migrate.ts', ['--json'], env)])

    const applied = both.flatMap(({ stdout }) => (JSON.parse(stdout) as { applied: { service: string; name: string }[] }).applied)
    const names = applied.map(({ service, name }) => `${service}/${name}`)
    expect(both.map(({ code }) => code)).toEqual([0, 0])
    expect(new Set(names).size).toBe(names.length)
    expect(await sql(env.DATABASE_URL, 'select count(*) from platform.migrations')).toEqual([[String(names.length)]])
  })

  it('refuses a database whose migrations are not those of the workspace, and runs none', async () => {
    const env = await databases.filled()
    await sql(env.DATABASE_URL, `update platform.migrations set sha256 = 'other' where name = '0001_things.sql'`)
    await sql(env.DATABASE_URL, `delete from platform.migrations where service = 'auth'`)

    const refused = await runCommand('migrate.ts', [], env)

    expect(refused).toEqual({
      code: 1,
      stdout: '',
      stderr: 'Migrations do not match the database: db/migrations/0001_things.sql was changed after it was applied\n',
    })
    expect(await sql(env.DATABASE_URL, `select * from platform.migrations where service = 'auth'`)).toEqual([])
  })

  it.each([
    ['both variables', {}, /^DATABASE_URL and DB_ROLE_SECRET must be set\n/],
    ['the secret', { DATABASE_URL: 'postgres://localhost/x' }, /^DB_ROLE_SECRET must be set\n/],
    [
      'a URL of PostgreSQL',
      { DATABASE_URL: 'https://user:hidden@localhost/x', DB_ROLE_SECRET: 'x' },
      /^DATABASE_URL is no URL of a PostgreSQL: https:\/\/localhost\/x\n/,
    ],
  ])('says what to do where %s is missing', async (_what, env, message) => {
    const { code, stderr } = await runCommand('migrate.ts', [], env)

    expect(code).toBe(2)
    expect(stderr).toMatch(message)
    expect(stderr).toContain('DB_ROLE_SECRET  what the passwords')
  })

  it('says in one line that a server does not answer', async () => {
    const { code, stderr } = await runCommand('migrate.ts', [], { DATABASE_URL: 'postgres://user:hidden@127.0.0.1:1/x', DB_ROLE_SECRET: 'x' })

    expect({ code, stderr }).toEqual({ code: 1, stderr: 'connect ECONNREFUSED 127.0.0.1:1\n' })
  })
})
