import { placeInList } from '@dot-do/worker-utils/place-in-list'
import { database } from '@dot-do/worker-data/database'
import { namespaceFor, pageOf } from '@dot-do/worker-utils'
import { and, desc, eq, isNotNull, isNull, sql } from 'drizzle-orm'
import { alerts } from '../alert-rows.ts'
import type { Operations } from '../operations.ts'
import { iso } from '../rows.ts'

export const listAlerts: Operations['listAlerts'] = async ({ ns, open, kind, limit, cursor }, call) => {
  const found = await database(call)
    .select()
    .from(alerts)
    .where(
      and(
        eq(alerts.ns, namespaceFor(call.principal, ns)),
        open === undefined ? undefined : open ? isNull(alerts.closedAt) : isNotNull(alerts.closedAt),
        kind === undefined ? undefined : eq(alerts.kind, kind),
        cursor === undefined ? undefined : olderThan(cursor),
      ),
    )
    .orderBy(desc(alerts.openedAt), desc(alerts.id))
    .limit(limit + 1)
  return pageOf(found.map(shown), limit, ({ openedAt, id }) => [openedAt, id])
}

function shown({ openedAt, seenAt, closedAt, ...alert }: typeof alerts.$inferSelect) {
  return { ...alert, openedAt: iso(openedAt), seenAt: iso(seenAt), closedAt: closedAt === null ? null : iso(closedAt) }
}

function olderThan(cursor: string) {
  const [openedAt, id] = placeInList(cursor)
  return sql`(${alerts.openedAt}, ${alerts.id}) < (${openedAt}::timestamptz, ${id})`
}
