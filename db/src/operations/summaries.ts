import { typeName, type Thing } from '@dot-do/worker-contracts/thing'
import { decodeCursor, namespaceFor, pageOf } from '@dot-do/worker-utils'
import { isThingId } from '@dot-do/worker-utils/thing-id'
import type * as z from 'zod'
import { momentOf } from '../moment.ts'
import type { Operations } from '../operations.ts'
import { readColumn } from '../read-column.ts'
import { countActivity, listRecent, listTypes, summarise, type RecentPlace } from '../summaries.ts'

const DAY_MS = 86_400_000

export const stats: Operations['stats'] = async ({ ns }, call) => {
  const [summary] = await readColumn<Awaited<ReturnType<Operations['stats']>>>(summarise(namespaceFor(call.principal, ns)), call)
  if (!summary) throw new TypeError('An aggregate gave no row')
  return summary
}

export const types: Operations['types'] = async ({ ns, limit, cursor }, call) => {
  const after = cursor === undefined ? '' : decodeCursor(cursor, isTypeName)
  const found = await readColumn<{ type: string; count: number; updatedAt: string }>(listTypes({ ns: namespaceFor(call.principal, ns), after, limit }), call)
  return pageOf(found, limit, ({ type }) => type)
}

export const recent: Operations['recent'] = async ({ ns, type, limit, cursor }, call) => {
  const before = cursor === undefined ? undefined : decodeCursor(cursor, isRecentPlace)
  const things = await readColumn<z.input<typeof Thing>>(listRecent({ ns: namespaceFor(call.principal, ns), type, limit, before }), call)
  return pageOf(things, limit, ({ updatedAt, $id }) => [updatedAt, $id])
}

export const activity: Operations['activity'] = async ({ ns, type, days }, call) => {
  const today = Math.floor(Date.now() / DAY_MS) * DAY_MS
  const since = new Date(today - (days - 1) * DAY_MS).toISOString()
  const counted = await readColumn<Awaited<ReturnType<Operations['activity']>>['days'][number]>(
    countActivity({ ns: namespaceFor(call.principal, ns), type, since }),
    call,
  )
  return { days: counted }
}

function isTypeName(place: unknown): place is string {
  return typeName.safeParse(place).success
}

function isRecentPlace(place: unknown): place is RecentPlace {
  if (!Array.isArray(place) || place.length !== 2) return false
  const [updatedAt, id]: unknown[] = place
  return typeof updatedAt === 'string' && momentOf(updatedAt) === updatedAt && typeof id === 'string' && isThingId(id)
}
