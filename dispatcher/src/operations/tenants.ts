import { database } from '@dot-do/worker-data/database'
import type { Operations } from '../operations.ts'
import { ownTenant } from '../own-tenant.ts'
import { forgetSettings, storedSettings } from '../tenant-settings.ts'
import { tenants } from '../tables.ts'

export const getTenant: Operations['getTenant'] = ({ tenant }, call) => {
  ownTenant(tenant, call)
  return storedSettings(tenant, call)
}

export const setTenant: Operations['setTenant'] = async ({ tenant, plan, outbound }, call) => {
  ownTenant(tenant, call)
  const stored = await storedSettings(tenant, call)
  const wanted = { plan: plan ?? stored.plan, outbound: outbound ?? stored.outbound, updatedAt: new Date().toISOString() }
  const change = { ...(plan !== undefined && { plan }), ...(outbound !== undefined && { outbound }), updatedAt: wanted.updatedAt }
  await database(call)
    .insert(tenants)
    .values({ tenant, ...wanted })
    .onConflictDoUpdate({ target: tenants.tenant, set: change })
  forgetSettings(tenant)
  return storedSettings(tenant, call)
}
