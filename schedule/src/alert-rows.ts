import type { Alert } from '@dot-do/worker-contracts/task'
import { generateId } from '@dot-do/worker-utils'
import { pgSchema, text, timestamp } from 'drizzle-orm/pg-core'
import type * as z from 'zod'
import { SCHEMA } from './tables.ts'

const time = (name: string) => timestamp(name, { withTimezone: true, mode: 'string' })

/** What an alert can be about. */
export type AlertKind = z.output<typeof Alert>['kind']

/** Alerts; see migrations/0001_tasks.sql. */
export const alerts = pgSchema(SCHEMA).table('alerts', {
  id: text().primaryKey(),
  ns: text().notNull(),
  kind: text().$type<AlertKind>().notNull(),
  subject: text().notNull(),
  message: text().notNull(),
  openedAt: time('opened_at').notNull(),
  seenAt: time('seen_at').notNull(),
  closedAt: time('closed_at'),
})

/** Something that is wrong now. */
export interface Trouble {
  ns: string
  subject: string
  message: string
}

/** Opens an alert for each trouble that has none, and notes of the others that it is still so. */
export function openAlerts(kind: AlertKind, troubles: readonly Trouble[], at: string) {
  const rows = troubles.map((trouble) => ({ ...trouble, id: generateId('alert') }))
  const sql = `insert into schedule.alerts (id, ns, kind, subject, message, opened_at, seen_at)
    select id, ns, $1, subject, message, $3::timestamptz, $3::timestamptz from jsonb_to_recordset($2::jsonb) as trouble (id text, ns text, subject text, message text)
    on conflict (ns, kind, subject) where closed_at is null do update set seen_at = excluded.seen_at, message = excluded.message`
  return { sql, params: [kind, JSON.stringify(rows), at] }
}

/** Closes the alerts of a kind about these subjects. */
export function closeAlerts(kind: AlertKind, subjects: readonly string[], at: string) {
  return closing(kind, { condition: 'subject in (select jsonb_array_elements_text($3::jsonb))', subjects, at })
}

/** Closes the alerts of a kind about all other subjects. */
export function closeOtherAlerts(kind: AlertKind, subjects: readonly string[], at: string) {
  return closing(kind, { condition: 'subject not in (select jsonb_array_elements_text($3::jsonb))', subjects, at })
}

function closing(kind: AlertKind, { condition, subjects, at }: { condition: string; subjects: readonly string[]; at: string }) {
  const sql = `update schedule.alerts set closed_at = $1::timestamptz where kind = $2 and closed_at is null and ${condition}`
  return { sql, params: [at, kind, JSON.stringify(subjects)] }
}
