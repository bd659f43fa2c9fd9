import { database } from '@dot-do/worker-data/database'
import type { Call } from '@dot-do/worker-kernel/call'
import { log, parseApiKey } from '@dot-do/worker-utils'
import { and, eq, isNull, lt, or, sql } from 'drizzle-orm'
import { hashKey, whyEnded } from '../api-keys.ts'
import type { Env } from '../env.ts'
import type { Operations } from '../operations.ts'
import { keys } from '../tables.ts'

export const verifyKey: Operations['verifyKey'] = async ({ key, address }, call) => {
  const mode = parseApiKey(key)?.mode
  if (!mode) return { valid: false, reason: 'malformed' }
  if (mode !== call.env.KEY_MODE) return { valid: false, reason: 'wrong_mode' }
  const row = await find(key, address, call)
  if (!row) return { valid: false, reason: 'unknown' }
  const ended = whyEnded(row, new Date())
  if (ended) return { valid: false, reason: ended }
  const addressBound = row.allowedAddresses.length > 0
  if (addressBound && !row.addressAllowed) return { valid: false, reason: 'address_refused', addressBound }
  call.waitUntil(touch(row.id, call))
  const limit = row.limitPerMinute === null ? {} : { limitPerMinute: row.limitPerMinute }
  return { valid: true, addressBound, principal: { id: row.id, kind: 'key', tenant: row.tenant, permissions: row.permissions, ...limit } }
}

async function find(key: string, address: string | undefined, call: Call<Env>) {
  const { id, tenant, permissions, limitPerMinute, allowedAddresses, expiresAt, revokedAt } = keys
  // An address that is none matches nothing; PostgreSQL knows how addresses lie in networks.
  const from = address !== undefined && /^[0-9a-fA-F.:]+$/.test(address) ? address : null
  const addressAllowed = sql<boolean>`coalesce(${from}::text::inet <<= any (${allowedAddresses}::inet[]), false)`
  const hash = await hashKey(key, call.env.KEY_PEPPER)
  const [row] = await database(call)
    .select({ id, tenant, permissions, limitPerMinute, allowedAddresses, expiresAt, revokedAt, addressAllowed })
    .from(keys)
    .where(eq(keys.hash, hash))
  return row
}

/** Notes that a key was used, at most once a minute. Failing to is no reason to refuse the key. */
async function touch(id: string, call: Call<Env>): Promise<void> {
  const unnoted = or(isNull(keys.lastUsedAt), lt(keys.lastUsedAt, sql`now() - interval '1 minute'`))
  try {
    await database(call)
      .update(keys)
      .set({ lastUsedAt: sql`now()` })
      .where(and(eq(keys.id, id), unnoted))
  } catch (cause) {
    log('warn', 'last_use_not_noted', { key: id, requestId: call.requestId, cause })
  }
}
