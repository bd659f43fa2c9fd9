import { database, type HasDatabase } from '@dot-do/worker-data/database'
import type { Call } from '@dot-do/worker-kernel/call'
import { FreshCache } from '@dot-do/worker-utils/fresh-cache'
import { eq } from 'drizzle-orm'
import { DEFAULT_PLAN } from './plans.ts'
import { tenants } from './tables.ts'

/** What a tenant's workers may use, and whom they may call. */
export interface TenantSettings {
  tenant: string
  plan: string
  outbound: string[]
  updatedAt: string | null
}

/** A change of plan shows everywhere within half a minute; settings that cannot be read anew stay as they were. */
const known = new FreshCache<TenantSettings>({ maxEntries: 1_000, freshMs: 5_000, staleMs: 30_000, keepOnError: true })

/** A tenant's settings as they are stored; the defaults where nothing was set. */
export async function storedSettings(tenant: string, call: Call<HasDatabase>): Promise<TenantSettings> {
  const [row] = await database(call).select().from(tenants).where(eq(tenants.tenant, tenant))
  if (!row) return { tenant, plan: DEFAULT_PLAN, outbound: ['*'], updatedAt: null }
  return { ...row, updatedAt: new Date(row.updatedAt).toISOString() }
}

/** A tenant's settings as this isolate knows them. */
export function knownSettings(tenant: string, call: Call<HasDatabase>): Promise<TenantSettings> {
  return known.get(tenant, () => storedSettings(tenant, call), call.waitUntil)
}

/** Makes this isolate read a tenant's settings anew. */
export function forgetSettings(tenant: string): void {
  known.forget(tenant)
}
