import { execFile, spawn } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { openLocalAnalytics } from '../../src/host/analytics.ts'
import type { PlatformEvent } from '../../src/host/events.ts'
import { miniflareOptions } from '../../src/host/miniflare-options.ts'
import { analyticsUnderTest, request } from './analytics-under-test.ts'

const PAGES = 'create table if not exists pages (id String) engine = MergeTree order by id;\nalter table pages add column if not exists views UInt32;\n'

const DEV = join(import.meta.dirname, '../../src/dev.ts')

const secrets = { CLICKHOUSE_PASSWORD: 'secret' }

it('opens the embedded one with the tables that db describes, where db may add and read rows', async () => {
  const { opened } = await open({ sql: PAGES })

  const inserted = await request(access(opened), { query: 'insert into pages format JSONEachRow' }, { body: '{"id":"home","views":3}' })
  const found = await request(access(opened), { query: 'select id, views from pages' })

  expect(opened).toMatchObject({ engine: 'embedded', user: 'db', password: 'secret' })
  expect(inserted.status).toBe(200)
  expect(await found.text()).toBe('home\t3\n')
})

it('opens none in a workspace that has no db', async () => {
  const { opened, notices } = await open({ service: 'notes' })

  expect(opened).toBeUndefined()
  expect(notices).toEqual([])
})

it('says in one line that events wait where chdb is not installed, and goes on', async () => {
  const { root, stateDir } = await workspace('db', PAGES)
  const program = [join(import.meta.dirname, 'host-program.ts'), root, stateDir]

  const without = await run(['--import', join(import.meta.dirname, 'without-chdb.ts'), ...program])
  const having = await run(program)

  expect(without).toEqual({
    engine: null,
    notices: [expect.stringMatching(/^No analytics: chdb is not installed .* events wait\. CLICKHOUSE_URL names a ClickHouse to use\.$/)],
  })
  expect(having).toEqual({ engine: 'embedded', notices: [] })
})

it('goes on without analytics where a table cannot be made, and leaves no process', async () => {
  const { opened, notices, stateDir } = await open({ sql: `${PAGES}create table broken (id Strin) engine = MergeTree order by id;\n` })

  expect(opened).toBeUndefined()
  expect(notices).toEqual([expect.stringMatching(/^No analytics, so events wait: 0001_pages\.sql: Code: 50\. DB::Exception: Unknown data type family: Strin/)])
  const pid = await readFile(join(stateDir, 'analytics/lock.pid'), 'utf8')
  expect(() => process.kill(Number(pid), 0)).toThrow('ESRCH')
})

it('uses the ClickHouse that is named in place of the embedded one, and makes the tables there', async () => {
  const server = await analyticsUnderTest()
  onTestFinished(server.remove)

  const { opened, notices } = await open({ sql: PAGES, clickhouse: server.owner })

  expect(opened).toMatchObject({ engine: 'clickhouse', ...server.owner })
  expect(notices).toEqual([])
  expect(await (await server.ask({ query: 'select count() from pages' })).text()).toBe('0\n')
})

it('starts also when the ClickHouse that is named does not answer', async () => {
  const clickhouse = { url: 'http://127.0.0.1:9/default', user: 'default', password: '' }

  const { opened, notices } = await open({ sql: PAGES, clickhouse })

  expect(opened).toMatchObject(clickhouse)
  expect(notices).toEqual(['No tables for analytics: ClickHouse does not answer at http://127.0.0.1:9'])
})

it.each([
  ['embedded', { type: 'external', address: '127.0.0.1:5555', http: {} }],
  ['clickhouse', undefined],
] as const)('tells db alone where the %s one is', (engine, binding) => {
  const analytics = { engine, url: 'http://127.0.0.1:5555/platform', user: 'db', password: 'secret' }
  const services = ['db', 'auth'].map((name) => ({
    name,
    folder: `/nowhere/${name}`,
    main: `/nowhere/${name}/index.ts`,
    configFile: `/nowhere/${name}/wrangler.jsonc`,
    config: { name, main: 'index.ts', compatibility_date: '2026-11-01' },
  }))

  const { workers } = miniflareOptions({
    services,
    code: new Map(),
    extraWorkers: [],
    extraPorts: new Map(),
    hosts: ['127.0.0.1'],
    port: 8787,
    secrets: {},
    analytics,
    stateDir: '/nowhere',
  })

  const [db = {}, auth = {}] = workers.map(({ config }) => config.env ?? {})
  expect(db['CLICKHOUSE']).toEqual(binding)
  expect([db['CLICKHOUSE_URL'], db['CLICKHOUSE_USER'], db['CLICKHOUSE_PASSWORD']]).toEqual(
    [analytics.url, 'db', 'secret'].map((value) => ({ type: 'text', value })),
  )
  expect(Object.keys(auth).filter((name) => name.startsWith('CLICKHOUSE'))).toEqual([])
})

it.each([
  ['embedded', async () => ({})],
  ['clickhouse', namedServer],
] as const)('says on the screen that analytics are %s, as the environment has it', { timeout: 60_000 }, async (engine, environment) => {
  const { root } = await workspace('db', PAGES)
  const program = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', DEV, '--port', '0'], {
    cwd: root,
    env: { ...process.env, ...(await environment()) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void program.kill('SIGKILL'))

  const lines: string[] = []
  for await (const line of createInterface(program.stdout)) {
    lines.push(line)
    if (line.startsWith('ready')) program.kill('SIGTERM')
  }

  expect(lines).toContain(`analytics ${engine}`)
})

/** A ClickHouse that is there already, as the environment of `pnpm dev` names it. */
async function namedServer(): Promise<Record<string, string>> {
  const { owner, remove } = await analyticsUnderTest()
  onTestFinished(remove)
  return { CLICKHOUSE_URL: owner.url, CLICKHOUSE_USER: owner.user, CLICKHOUSE_PASSWORD: owner.password }
}

interface Opening {
  service?: string
  sql?: string
  clickhouse?: { url: string; user: string; password: string }
}

async function open({ service = 'db', sql, clickhouse }: Opening) {
  const { root, stateDir } = await workspace(service, sql)
  const notices: string[] = []
  const onEvent = (event: PlatformEvent): void => void (event.type === 'notice' && notices.push(event.message))
  const opened = await openLocalAnalytics({ root, stateDir, secrets, onEvent, ...(clickhouse && { clickhouse }) })
  onTestFinished(async () => opened?.close())
  return { opened, notices, stateDir }
}

/** A workspace of one service, with one file of tables. */
async function workspace(service: string, sql: string | undefined): Promise<{ root: string; stateDir: string }> {
  const root = await mkdtemp(join(tmpdir(), 'workspace-'))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  await mkdir(join(root, service, 'analytics'), { recursive: true })
  await writeFile(join(root, service, 'index.ts'), 'export default {}\n')
  await writeFile(join(root, service, 'wrangler.jsonc'), JSON.stringify({ name: service, main: 'index.ts', compatibility_date: '2026-11-01' }))
  if (sql !== undefined) await writeFile(join(root, service, 'analytics/0001_pages.sql'), sql)
  return { root, stateDir: join(root, '.local') }
}

async function run(args: string[]): Promise<unknown> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--disable-warning=ExperimentalWarning', ...args])
  return JSON.parse(stdout)
}

function access(opened: Awaited<ReturnType<typeof openLocalAnalytics>>) {
  if (!opened) throw new Error('No analytics')
  return opened
}
