import { batch, type HasDatabase } from '@dot-do/worker-data/database'
import type { Call } from '@dot-do/worker-kernel/call'
import { BoundedCache, createLog } from '@dot-do/worker-utils'
import { FreshCache } from '@dot-do/worker-utils/fresh-cache'
import type { Operations } from './operations.ts'
import { inTime } from './passage.ts'
import { onDomain, type Target } from './routing.ts'

/** The columns of `gateway.domains` in the order that `shownDomain` takes them. */
export const DOMAIN_COLUMNS = 'host, service, created_at, created_by'

/** A host that leads to a service, as every interface shows it. */
type Shown = Awaited<ReturnType<Operations['createDomain']>>

/** How long the table may take to answer, in milliseconds: whoever asks for a published worker's domain waits for it, too. */
const TIMEOUT_MS = 2_000

/** What the table said of a host, also that it has none of it: taken as it is for 20 s, once more while it is read anew, and for as long as the table cannot be read. */
const known = new FreshCache<string | null>({ maxEntries: 1_000, freshMs: 20_000, staleMs: 50_000, keepOnError: true })

/** Present while the table is left alone, since it could not be read: else every request for an unknown host would wait for it. */
const unreadable = new BoundedCache<'table', true>({ maxEntries: 1, ttlMs: 5_000 })

/** The service that a host of somebody's own leads to; null if to none, as far as is known: what cannot be looked up is left to the layers below. */
export async function serviceOf(host: string, call: Call<HasDatabase>): Promise<string | null> {
  const read = () => (unreadable.get('table') ? Promise.reject(new TypeError('The table of domains is left alone')) : lookUp(host, call))
  return known.get(host, read, call.waitUntil).catch(() => null)
}

/** Where a request leads for a host that may be somebody's own: to the service that the table names, else where it led already. */
export async function atDomain(target: Target, call: Call<HasDatabase>): Promise<Target> {
  if (target.domain === undefined) return target
  const service = await serviceOf(target.domain, call)
  return service === null ? target : onDomain(target.domain, service, target.path)
}

/** Makes this isolate read anew where a host leads. */
export function forgetDomain(host: string): void {
  known.forget(host)
}

/** A stored host as it is shown. */
export function shownDomain([host, service, createdAt, createdBy]: unknown[]): Shown {
  return { host: String(host), service: String(service), createdAt: new Date(String(createdAt)).toISOString(), createdBy: String(createdBy) }
}

async function lookUp(host: string, call: Call<HasDatabase>): Promise<string | null> {
  const read = async () => {
    const [found] = await batch(call, [{ sql: 'select service from gateway.domains where host = $1', params: [host] }])
    const [service] = found?.rows[0] ?? []
    return typeof service === 'string' ? service : null
  }
  try {
    return await inTime({ service: 'db', timeoutMs: TIMEOUT_MS }, read)
  } catch (thrown) {
    unreadable.set('table', true)
    createLog()('warn', 'domains_unreadable', { requestId: call.requestId, cause: thrown })
    throw thrown
  }
}
