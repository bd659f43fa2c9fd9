import type { Environment } from '@dot-do/worker-contracts/published'
import type { Principal } from '@dot-do/worker-types'
import { env } from 'cloudflare:workers'
import type { Kept } from '../../src/slot.ts'

const { DISPATCHER } = env

let count = 0

/** A name of its own for each test. */
export const newWorker = () => `hello-${++count}`

/** One who may do everything. */
export const ADMIN: Principal = { id: 'key_admin', kind: 'key', tenant: 'default', permissions: ['*'] }
/** One who did not say who they are. */
export const NOBODY: Principal = { id: 'anonymous', kind: 'anonymous', tenant: 'default', permissions: [] }
/** One of the tenant acme. */
export const OF_ACME: Principal = { id: 'key_acme', kind: 'key', tenant: 'acme', permissions: [] }

/** What is published; version 1 of `echo` for anyone in production of the platform's own tenant, unless told. */
export interface Publication {
  worker: string
  tenant?: string
  environment?: Environment
  script?: string
  version?: number
  access?: Kept['access']
  branch?: string
}

/** Keeps a version, the way deploy tells the dispatcher to. */
export async function keep({ worker, tenant = 'default', environment = 'production', script = 'echo', version = 1, access = 'public', branch }: Publication) {
  const kept = { version, namespace: 'dotdo-production', script: `${script}--v${version}`, access, branch: branch ?? null }
  await DISPATCHER.keepVersion({ tenant, worker, environment, ...kept })
}

/** Makes a version live, the way deploy does. */
export async function publish(publication: Publication) {
  await keep(publication)
  const { worker, tenant = 'default', environment = 'production', version = 1 } = publication
  await DISPATCHER.activate({ tenant, worker, environment, version })
}

/** Asks as the gateway does. */
export function visit(host: string, { path = '/', as = NOBODY, ...init }: RequestInit & { path?: string; as?: Principal } = {}): Promise<Response> {
  const headers = new Headers(init.headers)
  headers.set('x-dotdo-call', JSON.stringify({ requestId: 'r-1', traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', onBehalfOf: as }))
  return DISPATCHER.fetch(`http://${host}${path}`, { redirect: 'manual', ...init, headers })
}

/** What the script `echo` saw. */
export interface Seen {
  url: string
  method: string
  headers: Record<string, string>
  cf: unknown
  options: unknown
}
