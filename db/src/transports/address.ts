import { rolePassword } from '@dot-do/worker-data/role-password'
import { ServiceError } from '@dot-do/worker-utils'
import type { Env } from '../env.ts'

/** The ways to PostgreSQL. */
export type Transport = 'http' | 'websocket' | 'tcp'

const TRANSPORTS: readonly string[] = ['http', 'websocket', 'tcp'] satisfies Transport[]

/** Which of them the configuration chose; HTTP where it says nothing. Fails for a word that is none of them. */
export function transportOf({ DATABASE_TRANSPORT = 'http' }: Partial<Pick<Env, 'DATABASE_TRANSPORT'>>): Transport {
  if (TRANSPORTS.includes(DATABASE_TRANSPORT)) return DATABASE_TRANSPORT as Transport // the line above looked it up
  throw new ServiceError('INTERNAL', `DATABASE_TRANSPORT is ${JSON.stringify(DATABASE_TRANSPORT)}; it must be ${TRANSPORTS.join(', ')}`)
}

/** Where one role logs in. */
export interface Address {
  host: string
  port: number
  database: string
  user: string
  password: string
  /** Whether the connection itself is to be encrypted, and the server's certificate checked; `sslmode` says so. */
  isTls: boolean
}

/** The address of a role: that of its Hyperdrive, `HYPERDRIVE_<ROLE>`, where `withHyperdrive` and there is one, or the database's with the role's own password. */
export async function addressOf(role: string, env: Env, withHyperdrive: boolean): Promise<Address> {
  const through = withHyperdrive ? hyperdriveOf(role, env) : undefined
  if (through !== undefined) return read(through)
  return { ...read(env.DATABASE_URL), user: role, password: await rolePassword(env.DB_ROLE_SECRET, role) }
}

function hyperdriveOf(role: string, env: Env): string | undefined {
  const binding: unknown = Object.entries(env).find(([name]) => name === `HYPERDRIVE_${role.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`)?.[1]
  const isHyperdrive = typeof binding === 'object' && binding !== null && 'connectionString' in binding && typeof binding.connectionString === 'string'
  return isHyperdrive ? String(binding.connectionString) : undefined
}

/** Of `sslmode`, the words with a clear meaning: nothing (or `disable`) is no TLS, and TLS is always verified. */
const TLS_BY_MODE: Record<string, boolean> = { disable: false, require: true, 'verify-ca': true, 'verify-full': true }

function read(url: string): Address {
  const { hostname, port, pathname, username, password, searchParams } = new URL(url)
  const mode = searchParams.get('sslmode') ?? 'disable'
  const isTls = Object.hasOwn(TLS_BY_MODE, mode) ? TLS_BY_MODE[mode] : undefined
  if (isTls === undefined) throw new ServiceError('INTERNAL', `sslmode of the database's URL must be ${Object.keys(TLS_BY_MODE).join(', ')}`)
  const host = hostname.replace(/^\[|\]$/g, '')
  return {
    host,
    port: Number(port || 5432),
    database: decodeURIComponent(pathname.slice(1)),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    isTls,
  }
}
