import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writePrivateFile } from './private-file.ts'

/** A secret that exists on this machine only. */
interface LocalSecret {
  name: string
  /** The services that find it in their env. */
  services: string[]
  /** What it is for. */
  purpose: string
}

/** Every secret a Worker needs to run locally. Those of outside providers are absent: a service reports itself degraded without them. */
export const LOCAL_SECRETS: LocalSecret[] = [
  { name: 'DB_ROLE_SECRET', services: ['db'], purpose: "the passwords of the services' PostgreSQL roles are derived from it" },
  { name: 'CLICKHOUSE_PASSWORD', services: ['db'], purpose: 'what the embedded ClickHouse asks of db' },
  { name: 'CLOUDFLARE_API_TOKEN', services: ['deploy'], purpose: 'what the local Cloudflare API asks of whoever publishes' },
  { name: 'DEPLOY_SECRET_KEY', services: ['deploy'], purpose: 'the secrets of published workers are stored encrypted under it' },
  { name: 'KEY_PEPPER', services: ['auth'], purpose: 'API keys are stored as an HMAC under it, so a copy of the table alone verifies no key' },
  {
    name: 'JWT_SIGNING_KEY',
    services: ['auth'],
    purpose: 'the keys that sign access tokens are stored encrypted under it, and refresh tokens are marked with it',
  },
]

/** A variable that differs on this machine from what `wrangler.jsonc` says. */
interface LocalVariable {
  name: string
  /** The services that find it in their env; absent: all. */
  services?: string[]
  value(port: number): string
  /** What it is for. */
  purpose: string
}

/** Every variable that a machine of one's own sets for the Workers, over what their `wrangler.jsonc` says. */
export const LOCAL_VARIABLES: LocalVariable[] = [
  { name: 'KEY_MODE', value: () => 'test', purpose: 'keys made here begin with sk_test_ and are refused in production' },
  {
    name: 'HOST_SUFFIX',
    services: ['gateway', 'deploy', 'dispatcher'],
    value: (port) => `.localhost:${port}`,
    purpose: 'what follows a production host name, as in db.do.localhost:8787',
  },
  { name: 'PLATFORM_URL', services: ['auth', 'schedule'], value: (port) => `http://localhost:${port}`, purpose: 'where the gateway answers on this machine' },
  { name: 'MAIL_FROM', services: ['auth'], value: () => 'login@platform.localhost', purpose: 'mails come from here, and go no further than the mailbox' },
  {
    name: 'LANE_HOLD_SECONDS',
    services: ['queue'],
    value: () => '0',
    purpose: 'a lane has one consumer here, which takes further jobs while slow ones run; what it began goes on for as long as it takes',
  },
  { name: 'LOG_WAIT_MS', services: ['gateway'], value: () => '20', purpose: 'a line for each request by itself costs the gateway a third of its rate' },
  {
    name: 'DATABASE_URL',
    services: ['db'],
    value: () => 'postgres://database.localhost/platform',
    purpose: 'names the database; the host puts in where that speaks its own protocol, and over HTTP the binding DATABASE leads there',
  },
]

/** The service that alone is bound to the database, as `DATABASE`. */
export const DATABASE_SERVICE = 'db'

/** The service that alone speaks to Cloudflare's API; here, to the local one. */
export const PUBLISHING_SERVICE = 'deploy'

/** The service that outside traffic enters by. */
export const FRONT_SERVICE = 'gateway'

/** Secrets by name. */
export type Secrets = Record<string, string>

/** Reads the secrets of a state directory, and makes those it lacks: 256 random bits each, once, in a file of mode 600. */
export async function readSecrets(stateDir: string): Promise<Secrets> {
  const file = join(stateDir, 'secrets.json')
  const known: Secrets = JSON.parse(await readFile(file, 'utf8').catch(() => '{}'))
  const missing = LOCAL_SECRETS.filter(({ name }) => known[name] === undefined)
  if (missing.length === 0) return known
  const secrets = { ...known, ...Object.fromEntries(missing.map(({ name }) => [name, randomBytes(32).toString('base64url')])) }
  await writePrivateFile(file, JSON.stringify(secrets, null, 2))
  return secrets
}

/** What a service finds in its env beyond its `wrangler.jsonc`: local variables, then its secrets. */
export function localEnv(service: string, port: number, secrets: Secrets): Record<string, string> {
  const variables = LOCAL_VARIABLES.filter(({ services }) => services === undefined || services.includes(service)).map(({ name, value }) => [name, value(port)])
  const own = LOCAL_SECRETS.filter(({ services }) => services.includes(service)).map(({ name }) => [name, secrets[name] ?? ''])
  return Object.fromEntries([...variables, ...own])
}
