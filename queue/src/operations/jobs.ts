import { jobTarget } from '@dot-do/worker-contracts/job-types'
import { database } from '@dot-do/worker-data/database'
import { decodeCursor, namespaceFor, pageOf } from '@dot-do/worker-utils'
import { and, desc, eq, gte, lt, sql } from 'drizzle-orm'
import { shown } from '../job-row.ts'
import type { Operations } from '../operations.ts'
import { readPayload, readResult } from '../payloads.ts'
import { jobOf, SHOWN_COLUMNS } from '../reading.ts'
import { jobs } from '../tables.ts'
import { typeSettings } from '../type-settings.ts'

export const getJob: Operations['getJob'] = async ({ id }, call) => {
  const row = await jobOf(id, call)
  const [payload, result, settings] = await Promise.all([readPayload(row, call.env), readResult(row, call.env), typeSettings(call)])
  return { ...shown(row, settings.get(row.type)), payload, ...(result !== undefined && { result }) }
}

export const listJobs: Operations['listJobs'] = async ({ limit, cursor, ...wanted }, call) => {
  const { state, group, uniqueKey, priority, parent, createdBy, errorCode, createdAfter, createdBefore } = wanted
  const type = wanted.type === undefined ? undefined : (jobTarget(wanted.type)?.type ?? wanted.type)
  const conditions = [
    eq(jobs.ns, namespaceFor(call.principal, wanted.ns)),
    cursor === undefined ? undefined : lt(jobs.sequence, decodeCursor(cursor, isSequence)),
    // Said as it stands in the index, which a parameter would hide from whoever plans the query.
    state === undefined ? undefined : sql`${jobs.state} = ${sql.raw(`'${state}'`)}`,
    type === undefined ? undefined : eq(jobs.type, type),
    group === undefined ? undefined : eq(jobs.groupName, group),
    uniqueKey === undefined ? undefined : eq(jobs.uniqueKey, uniqueKey),
    priority === undefined ? undefined : eq(jobs.priority, priority),
    parent === undefined ? undefined : eq(jobs.parent, parent),
    createdBy === undefined ? undefined : eq(jobs.principalId, createdBy),
    errorCode === undefined ? undefined : sql`${jobs.errors} -> -1 ->> 'code' = ${errorCode}`,
    createdAfter === undefined ? undefined : gte(jobs.createdAt, createdAfter),
    createdBefore === undefined ? undefined : lt(jobs.createdAt, createdBefore),
  ]
  const ask = database(call)
    .select(SHOWN_COLUMNS)
    .from(jobs)
    .where(and(...conditions))
    .orderBy(desc(jobs.sequence))
    .limit(limit + 1)
  const [found, settings] = await Promise.all([ask, typeSettings(call)])
  const { items, nextCursor } = pageOf(found, limit, ({ sequence }) => sequence)
  return { items: items.map((row) => shown(row, settings.get(row.type))), nextCursor }
}

function isSequence(place: unknown): place is number {
  return Number.isSafeInteger(place)
}
