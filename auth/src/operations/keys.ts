import { database } from '@dot-do/worker-data/database'
import { commit } from '@dot-do/worker-data/ledger'
import type { Call } from '@dot-do/worker-kernel/call'
import { allows, covers, displayApiKey, generateApiKey, generateId, pageOf, ServiceError } from '@dot-do/worker-utils'
import { and, desc, eq, isNull, sql } from 'drizzle-orm'
import { expiryAfter, graceExpiry, hashKey, iso, renewedExpiry, shown, whyEnded, type KeyRow } from '../api-keys.ts'
import { appendAudit } from '../audit.ts'
import type { Env } from '../env.ts'
import type { Operations } from '../operations.ts'
import { permissionsOfRole } from '../organisations/own-roles.ts'
import { placeInList } from '@dot-do/worker-utils/place-in-list'
import { keys, SCHEMA } from '../tables.ts'

export const createKey: Operations['createKey'] = async (input, call) => {
  const { principal } = call
  const tenant = tenantFor(input.tenant, call)
  const ofRole = input.role === undefined ? [] : await permissionsOfRole(input.role, { tenant, path: 'role' }, call)
  const permissions = [...new Set([...(input.permissions ?? []), ...ofRole])]
  if (permissions.length === 0)
    throw new ServiceError('INVALID', 'A key needs permissions or a role', { details: [{ path: 'permissions', message: 'must not be empty without a role' }] })
  refuseLacking(permissions, call)
  if (input.limitPerMinute !== undefined && !allows(principal.permissions, 'limits:write')) throw lacking('limitPerMinute', 'limits:write')
  const now = new Date()
  const { name, limitPerMinute = null, allowedAddresses = [], expiresInDays } = input
  const made = await makeKey({ name, tenant, permissions, limitPerMinute, allowedAddresses, expiresAt: expiryAfter(expiresInDays, now) }, { call, now })
  const audited = appendAudit(call, { action: 'auth.createKey', subject: made.row.id, tenant, detail: { name, permissions } }, made.row.createdAt)
  return finish(made, [audited], call)
}

export const listKeys: Operations['listKeys'] = async ({ limit, cursor, includeRevoked }, call) => {
  const wanted = and(ofTenant(call), includeRevoked ? undefined : isNull(keys.revokedAt), cursor === undefined ? undefined : olderThan(cursor))
  const found = await database(call)
    .select()
    .from(keys)
    .where(wanted)
    .orderBy(desc(keys.createdAt), desc(keys.id))
    .limit(limit + 1)
  const { items, nextCursor } = pageOf(found, limit, ({ createdAt, id }) => [iso(createdAt), id])
  return { items: items.map(shown), nextCursor }
}

export const getKey: Operations['getKey'] = async ({ id }, call) => shown(await find(id, call))

export const rotateKey: Operations['rotateKey'] = async ({ id, graceSeconds }, call) => {
  const old = await find(id, call)
  refuseLacking(old.permissions, call)
  const now = new Date()
  if (whyEnded(old, now)) throw new ServiceError('CONFLICT', 'This key is no longer in force', { details: [{ path: 'id', message: 'is no longer in force' }] })
  const { name, tenant, permissions, limitPerMinute, allowedAddresses } = old
  const made = await makeKey({ name, tenant, permissions, limitPerMinute, allowedAddresses, expiresAt: renewedExpiry(old, now) }, { call, now })
  made.row.replaces = id
  const { createdAt } = made.row
  const ended = database(call)
    .update(keys)
    .set({ replacedBy: made.row.id, expiresAt: graceExpiry(old, graceSeconds, now) })
    .where(eq(keys.id, id))
  const audited = appendAudit(call, { action: 'auth.rotateKey', subject: id, tenant, detail: { replacedBy: made.row.id, graceSeconds } }, createdAt)
  return finish(made, [{ sql: 'select auth.hold_key($1, $2::timestamptz)', params: [id, createdAt] }, ended, audited], call)
}

export const revokeKey: Operations['revokeKey'] = async ({ id }, call) => {
  const key = await find(id, call)
  if (key.revokedAt !== null) return shown(key)
  const revokedAt = new Date().toISOString()
  const answer = { ...shown(key), revokedAt }
  const ended = database(call)
    .update(keys)
    .set({ revokedAt })
    .where(and(eq(keys.id, id), isNull(keys.revokedAt)))
  const audited = appendAudit(call, { action: 'auth.revokeKey', subject: id, tenant: key.tenant, detail: {} }, revokedAt)
  await commit(call, SCHEMA, { statements: [ended, audited], answer })
  return answer
}

interface MadeKey {
  key: string
  row: KeyRow
}

type Chosen = Pick<KeyRow, 'name' | 'tenant' | 'permissions' | 'limitPerMinute' | 'allowedAddresses' | 'expiresAt'>

async function makeKey(chosen: Chosen, { call, now }: { call: Call<Env>; now: Date }): Promise<MadeKey> {
  const key = generateApiKey(call.env.KEY_MODE === 'live' ? 'live' : 'test')
  const ends = { lastUsedAt: null, revokedAt: null, replaces: null, replacedBy: null }
  const row = {
    id: generateId('key'),
    hash: await hashKey(key, call.env.KEY_PEPPER),
    preview: displayApiKey(key),
    ...chosen,
    createdAt: now.toISOString(),
    createdBy: call.principal.id,
    ...ends,
  }
  return { key, row }
}

/** Stores a new key together with what must happen before, and gives the one answer that shows it. */
async function finish({ key, row }: MadeKey, before: Parameters<typeof commit>[2]['statements'], call: Call<Env>) {
  const answer = { ...shown(row), key }
  await commit(call, SCHEMA, { statements: [...before, database(call).insert(keys).values(row)], answer })
  return answer
}

async function find(id: string, call: Call<Env>): Promise<KeyRow> {
  const [row] = await database(call)
    .select()
    .from(keys)
    .where(and(eq(keys.id, id), ofTenant(call)))
  if (!row) throw new ServiceError('NOT_FOUND', `No key ${id}`)
  return row
}

/** Whoever may everything sees every tenant's keys; everybody else those of their own. */
function ofTenant({ principal }: Call<Env>) {
  return allows(principal.permissions, '*') ? undefined : eq(keys.tenant, principal.tenant)
}

function olderThan(cursor: string) {
  const [at, id] = placeInList(cursor)
  return sql`(${keys.createdAt}, ${keys.id}) < (${at}::timestamptz, ${id})`
}

function tenantFor(asked: string | undefined, { principal }: Call<Env>): string {
  if (asked === undefined || asked === principal.tenant || allows(principal.permissions, '*')) return asked ?? principal.tenant
  throw new ServiceError('NOT_FOUND', `No tenant ${asked}`, { details: [{ path: 'tenant', message: 'is not there' }] })
}

function refuseLacking(permissions: readonly string[], { principal }: Call<Env>): void {
  const index = permissions.findIndex((permission) => !covers(principal.permissions, [permission]))
  if (index >= 0) throw lacking(`permissions.${index}`, permissions[index] ?? '')
}

function lacking(path: string, permission: string): ServiceError {
  return new ServiceError('FORBIDDEN', `You cannot give what you lack: ${permission}`, { details: [{ path, message: `needs ${permission}` }] })
}
