import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { LOCAL_SECRETS, localEnv, readSecrets } from '../../src/host/local-configuration.ts'
import { miniflareOptions } from '../../src/host/miniflare-options.ts'
import type { WorkspaceService } from '../../src/host/workspace.ts'

it('makes secrets once, for the owner’s eyes only', async () => {
  const dir = await directory()

  const first = await readSecrets(dir)
  const second = await readSecrets(dir)

  expect(Object.keys(first).sort()).toEqual(LOCAL_SECRETS.map(({ name }) => name).sort())
  expect(new Set(Object.values(first)).size).toBe(LOCAL_SECRETS.length)
  expect(second).toEqual(first)
  expect((await stat(join(dir, 'secrets.json'))).mode & 0o777).toBe(0o600)
})

it('adds a secret that came to be needed, and keeps those there are', async () => {
  const dir = await directory()
  await writeFile(join(dir, 'secrets.json'), '{"KEY_PEPPER":"kept"}')

  const secrets = await readSecrets(dir)

  expect(secrets['KEY_PEPPER']).toBe('kept')
  expect(JSON.parse(await readFile(join(dir, 'secrets.json'), 'utf8'))).toEqual(secrets)
})

it('hands a secret to the service it belongs to and to no other', () => {
  const secrets = { DB_ROLE_SECRET: 'roles', KEY_PEPPER: 'pepper', JWT_SIGNING_KEY: 'signing' }

  expect(localEnv('db', 8787, secrets)).toMatchObject({ DB_ROLE_SECRET: 'roles' })
  expect(localEnv('db', 8787, secrets)).not.toHaveProperty('KEY_PEPPER')
  expect(localEnv('auth', 8787, secrets)).toEqual({
    KEY_MODE: 'test',
    KEY_PEPPER: 'pepper',
    JWT_SIGNING_KEY: 'signing',
    PLATFORM_URL: 'http://localhost:8787',
    MAIL_FROM: 'login@platform.localhost',
  })
  expect(localEnv('gateway', 8787, secrets)).toEqual({ KEY_MODE: 'test', HOST_SUFFIX: '.localhost:8787', LOG_WAIT_MS: '20' })
})

it('binds the database to db alone', () => {
  const services = ['db', 'auth'].map(service)

  const { workers } = miniflareOptions({
    services,
    code: new Map(),
    extraWorkers: [],
    extraPorts: new Map(),
    hosts: ['127.0.0.1'],
    port: 8787,
    secrets: {},
    database: { url: 'http://127.0.0.1:5555', postgresUrl: 'postgres://127.0.0.1:5556/platform' },
    databaseTransport: 'tcp',
    stateDir: '/nowhere',
  })

  const [db, auth] = workers.map(({ config }) => config.env)
  expect(db).toMatchObject({
    DATABASE: { type: 'external', address: '127.0.0.1:5555', http: {} },
    DATABASE_URL: { value: 'postgres://127.0.0.1:5556/platform' },
    DATABASE_TRANSPORT: { value: 'tcp' },
  })
  expect(Object.keys(auth ?? {}).filter((name) => name.startsWith('DATABASE'))).toEqual([])
})

function service(name: string): WorkspaceService {
  const folder = `/nowhere/${name}`
  return {
    name,
    folder,
    main: `${folder}/index.ts`,
    configFile: `${folder}/wrangler.jsonc`,
    config: { name, main: 'index.ts', compatibility_date: '2026-11-01' },
  }
}

async function directory(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'state-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  return dir
}
