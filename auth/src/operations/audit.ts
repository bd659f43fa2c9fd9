import { batch, database } from '@dot-do/worker-data/database'
import { allows, decodeCursor, pageOf } from '@dot-do/worker-utils'
import { and, desc, eq, lt } from 'drizzle-orm'
import { iso } from '../api-keys.ts'
import { appendAudit } from '../audit.ts'
import type { Operations } from '../operations.ts'
import { audit } from '../tables.ts'

export const listAudit: Operations['listAudit'] = async ({ limit, cursor, actor, action, subject }, call) => {
  const wanted = and(
    allows(call.principal.permissions, '*') ? undefined : eq(audit.tenant, call.principal.tenant),
    cursor === undefined ? undefined : lt(audit.sequence, decodeCursor(cursor, isSequence)),
    actor === undefined ? undefined : eq(audit.actor, actor),
    action === undefined ? undefined : eq(audit.action, action),
    subject === undefined ? undefined : eq(audit.subject, subject),
  )
  const found = await database(call)
    .select()
    .from(audit)
    .where(wanted)
    .orderBy(desc(audit.sequence))
    .limit(limit + 1)
  const { items, nextCursor } = pageOf(found, limit, ({ sequence }) => sequence)
  return { items: items.map((entry) => ({ ...entry, at: iso(entry.at) })), nextCursor }
}

export const recordAudit: Operations['recordAudit'] = async (record, call) => {
  const { id, ...statement } = appendAudit(call, record, new Date().toISOString())
  await batch(call, [statement])
  return { id }
}

/** The whole chain recomputed where it lies; each entry must follow from the one before. */
const BROKEN = `with chain as (
    select entry.id, entry.sequence, entry.hash <> auth.audit_hash(coalesce(lag(entry.hash) over (order by entry.sequence), ''), entry) as broken
    from auth.audit entry)
  select count(*)::integer, (array_agg(id order by sequence) filter (where broken))[1] from chain`

export const verifyAudit: Operations['verifyAudit'] = async (_input, call) => {
  const [result] = await batch(call, [{ sql: BROKEN, params: [] }])
  const [entries, firstBroken] = result?.rows[0] ?? []
  return { valid: firstBroken === null, entries: Number(entries), ...(typeof firstBroken === 'string' && { firstBroken }) }
}

function isSequence(place: unknown): place is number {
  return Number.isSafeInteger(place)
}
