import type { JobSummary } from '@dot-do/worker-contracts/job'
import { getTableColumns } from 'drizzle-orm'
import type * as z from 'zod'
import { jobs, type types } from './tables.ts'

/** A job as the database has it; times as PostgreSQL writes them. */
export type JobRow = typeof jobs.$inferSelect

/** A job that was claimed: how often and how far apart it is tried is settled. */
export type ClaimedJob = JobRow & { maxAttempts: number; backoffSeconds: number }

/** What the settings of a job's type say that the job itself does not. */
export type TypeDefaults = Partial<Pick<typeof types.$inferSelect, 'maxAttempts' | 'backoffSeconds'>>

/** Attempts, and seconds before the second one, where neither the job nor its type says it. */
export const DEFAULT_ATTEMPTS = 3
export const DEFAULT_BACKOFF_SECONDS = 60

const COLUMNS = Object.entries(getTableColumns(jobs))

/** A row as `to_jsonb` writes it. */
export function jobRow(json: Record<string, unknown>): ClaimedJob {
  return Object.fromEntries(COLUMNS.map(([field, { name }]) => [field, json[name] ?? null])) as ClaimedJob // the functions that claim give every column, and settle both limits
}

/** PostgreSQL's text of a time in the wire's form. */
export function iso(time: string): string {
  return new Date(time).toISOString()
}

/** What everybody who may read a job is shown of it, lists included. */
export type ShownJob = Omit<JobRow, 'payload' | 'result'>

/** A job as lists show it. */
export function shown(row: ShownJob, defaults: TypeDefaults = {}): z.input<typeof JobSummary> {
  const { id, ns, type, state, priority, attempts, groupName, uniqueKey, parent, progress, errors, payloadBytes, startedAt, finishedAt, cancelRequestedAt } =
    row
  return {
    id,
    ns,
    type,
    state,
    priority,
    attempts,
    progress,
    payloadBytes,
    errors: errors.map((error) => ({ ...error, at: iso(error.at) })),
    maxAttempts: row.maxAttempts ?? defaults.maxAttempts ?? DEFAULT_ATTEMPTS,
    runAt: iso(row.runAt),
    createdBy: row.principalId,
    createdAt: iso(row.createdAt),
    ...(groupName !== null && { group: groupName }),
    ...(uniqueKey !== null && { uniqueKey }),
    ...(parent !== null && { parent }),
    ...(startedAt !== null && { startedAt: iso(startedAt) }),
    ...(finishedAt !== null && { finishedAt: iso(finishedAt) }),
    ...(cancelRequestedAt !== null && { cancelRequestedAt: iso(cancelRequestedAt) }),
  }
}
