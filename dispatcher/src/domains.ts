import type { CustomDomain } from '@dot-do/worker-contracts/published'
import { database, type HasDatabase } from '@dot-do/worker-data/database'
import type { Call } from '@dot-do/worker-kernel/call'
import { FreshCache } from '@dot-do/worker-utils/fresh-cache'
import { and, eq, isNotNull } from 'drizzle-orm'
import type * as z from 'zod'
import { domains } from './tables.ts'

/** A stored claim to a host. */
export type DomainRow = typeof domains.$inferSelect

/** A custom domain as its owner sees it. */
type Shown = z.output<typeof CustomDomain>

/** A host that was taken away answers no longer than a worker that was rolled back. */
const known = new FreshCache<DomainRow | null>({ maxEntries: 1_000, freshMs: 250, staleMs: 750 })

/** What a verified host leads to, as this isolate knows it; null if to nothing. */
export function knownDomain(host: string, call: Call<HasDatabase>): Promise<DomainRow | null> {
  return known.get(host, () => verifiedDomain(host, call), call.waitUntil)
}

/** Makes this isolate read anew where a host leads. */
export function forgetDomain(host: string): void {
  known.forget(host)
}

/** The claim to a host that was proved, whoever's it is; null if none was. */
export async function verifiedDomain(host: string, call: Call<HasDatabase>): Promise<DomainRow | null> {
  const [row] = await database(call)
    .select()
    .from(domains)
    .where(and(eq(domains.host, host), isNotNull(domains.verifiedAt)))
  return row ?? null
}

/** A claim as its owner sees it, with the record to set. */
export function shown({ host, tenant, worker, environment, token, createdAt, verifiedAt }: DomainRow): Shown {
  return {
    host,
    tenant,
    worker,
    environment,
    status: verifiedAt === null ? 'pending' : 'verified',
    verification: { name: recordName(host), type: 'TXT', value: token },
    createdAt: new Date(createdAt).toISOString(),
    verifiedAt: verifiedAt === null ? null : new Date(verifiedAt).toISOString(),
  }
}

/** Where the record lies that proves whose a host is. */
export function recordName(host: string): string {
  return `_dotdo-verify.${host}`
}
