import { database } from '@dot-do/worker-data/database'
import type { Call } from '@dot-do/worker-kernel/call'
import { hostName } from '@dot-do/worker-contracts/published'
import { decodeCursor, encodeBase64url, pageOf, ServiceError } from '@dot-do/worker-utils'
import { refuseReservedHost } from '@dot-do/worker-utils/reserved-host'
import { and, asc, eq, gt, isNull } from 'drizzle-orm'
import { txtRecords } from '../dns.ts'
import { forgetDomain, recordName, shown, verifiedDomain, type DomainRow } from '../domains.ts'
import type { Env } from '../env.ts'
import type { Operations } from '../operations.ts'
import { ownTenant } from '../own-tenant.ts'
import { domains } from '../tables.ts'

/** 18 random bytes: nobody sets the record of another's claim by chance. */
const TOKEN_BYTES = 18

export const addDomain: Operations['addDomain'] = async ({ tenant, worker, environment, host }, call) => {
  ownTenant(tenant, call)
  refuseReservedHost(host, call.env.HOST_SUFFIX)
  await refuseTaken(host, tenant, call)
  const token = encodeBase64url(crypto.getRandomValues(new Uint8Array(TOKEN_BYTES)))
  const row = { host, tenant, worker, environment, token, createdAt: new Date().toISOString() }
  const [stored] = await database(call)
    .insert(domains)
    .values(row)
    .onConflictDoUpdate({ target: [domains.host, domains.tenant], set: { worker, environment } })
    .returning()
  forgetDomain(host)
  return shown(stored ?? { ...row, verifiedAt: null })
}

export const listDomains: Operations['listDomains'] = async ({ tenant, worker, limit, cursor }, call) => {
  ownTenant(tenant, call)
  const wanted = and(
    eq(domains.tenant, tenant),
    worker === undefined ? undefined : eq(domains.worker, worker),
    cursor === undefined ? undefined : gt(domains.host, decodeCursor(cursor, isHost)),
  )
  const found = await database(call)
    .select()
    .from(domains)
    .where(wanted)
    .orderBy(asc(domains.host))
    .limit(limit + 1)
  const { items, nextCursor } = pageOf(found, limit, ({ host }) => host)
  return { items: items.map(shown), nextCursor }
}

export const verifyDomain: Operations['verifyDomain'] = async ({ tenant, host }, call) => {
  const claim = await find(tenant, host, call)
  if (claim.verifiedAt !== null) return shown(claim)
  await refuseTaken(host, tenant, call)
  const records = await txtRecords(recordName(host), call.env.DNS_URL)
  if (!records.includes(claim.token)) throw notProved(host)
  // Where two proved it at once, the index lets one through and db answers the other with CONFLICT.
  const [verified] = await database(call)
    .update(domains)
    .set({ verifiedAt: new Date().toISOString() })
    .where(and(isClaim(tenant, host), eq(domains.token, claim.token), isNull(domains.verifiedAt)))
    .returning()
  forgetDomain(host)
  return shown(verified ?? (await find(tenant, host, call)))
}

export const removeDomain: Operations['removeDomain'] = async ({ tenant, host }, call) => {
  ownTenant(tenant, call)
  const [removed] = await database(call).delete(domains).where(isClaim(tenant, host)).returning()
  if (!removed) throw noDomain(host)
  forgetDomain(host)
  return shown(removed)
}

async function find(tenant: string, host: string, call: Call<Env>): Promise<DomainRow> {
  ownTenant(tenant, call)
  const [row] = await database(call).select().from(domains).where(isClaim(tenant, host))
  if (!row) throw noDomain(host)
  return row
}

async function refuseTaken(host: string, tenant: string, call: Call<Env>): Promise<void> {
  const taken = await verifiedDomain(host, call)
  if (taken && taken.tenant !== tenant)
    throw new ServiceError('CONFLICT', `${host} leads elsewhere already`, { details: [{ path: 'host', message: 'is taken' }] })
}

function isClaim(tenant: string, host: string) {
  return and(eq(domains.tenant, tenant), eq(domains.host, host))
}

function isHost(place: unknown): place is string {
  return hostName.safeParse(place).success
}

function notProved(host: string): ServiceError {
  const message = `has no TXT record ${recordName(host)} with the value that addDomain gave`
  return new ServiceError('CONFLICT', `${host} ${message}; DNS may take a while`, { details: [{ path: 'host', message }] })
}

function noDomain(host: string): ServiceError {
  return new ServiceError('NOT_FOUND', `No domain ${host}`, { details: [{ path: 'host', message: 'is not there' }] })
}
