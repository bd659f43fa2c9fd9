import { onward, type Call } from '@dot-do/worker-kernel/call'
import { auditing } from '../audit.ts'
import type { Env } from '../env.ts'
import type { Operations } from '../operations.ts'
import { placeOf } from '../places.ts'
import { slotKey } from '../pointers.ts'
import { tenantFor, tenantOf } from '../tenants.ts'

export const addDomain: Operations['addDomain'] = ({ host, ...input }, call) => {
  const place = placeOf(input, call.principal)
  return changing(
    'addDomain',
    { host, tenant: place.tenant },
    { call, run: () => call.env.DISPATCHER_SERVICE.addDomain({ ...slotKey(place), host }, onward(call)) },
  )
}

export const verifyDomain: Operations['verifyDomain'] = ({ host, tenant }, call) => {
  const key = { host, tenant: tenant ?? call.principal.tenant }
  return changing('verifyDomain', key, { call, run: () => call.env.DISPATCHER_SERVICE.verifyDomain(key, onward(call)) })
}

export const removeDomain: Operations['removeDomain'] = ({ host, tenant }, call) => {
  const key = { host, tenant: tenant ?? call.principal.tenant }
  return changing('removeDomain', key, { call, run: () => call.env.DISPATCHER_SERVICE.removeDomain(key, onward(call)) })
}

export const listDomains: Operations['listDomains'] = async ({ service, tenant, ...page }, call) => {
  const wanted = { tenant: tenantOf(tenant, call), ...(service !== undefined && { worker: service }) }
  const { limit, cursor } = page
  return call.env.DISPATCHER_SERVICE.listDomains({ ...wanted, limit, ...(cursor !== undefined && { cursor }) }, onward(call))
}

function changing<Answer>(
  operation: string,
  { host, tenant }: { host: string; tenant: string },
  { call, run }: { call: Call<Env>; run: () => Promise<Answer> },
): Promise<Answer> {
  const deed = () => ({ action: `deploy.${operation}`, subject: host, tenant, detail: { host } })
  return auditing(call, deed, async () => {
    tenantFor(tenant, call)
    return run()
  })
}
