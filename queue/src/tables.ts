import type { JobError, jobState, Progress } from '@dot-do/worker-contracts/job'
import type { PrincipalKind } from '@dot-do/worker-types'
import { bigint, boolean, integer, jsonb, pgSchema, smallint, text, timestamp } from 'drizzle-orm/pg-core'
import type * as z from 'zod'

type JobState = z.output<typeof jobState>
type JobProgress = z.output<typeof Progress>
type JobFailure = z.output<typeof JobError>

/** The PostgreSQL schema that is queue's own; migrations/ makes what this describes. */
export const SCHEMA = 'queue'

const schema = pgSchema(SCHEMA)
const time = (name: string) => timestamp(name, { withTimezone: true, mode: 'string' })

/** Jobs by id; see migrations/0001_jobs.sql for what each column means. They are changed by the functions of migrations/0002_running.sql. */
export const jobs = schema.table('jobs', {
  id: text().primaryKey(),
  sequence: bigint({ mode: 'number' }).notNull(),
  ns: text().notNull(),
  type: text().notNull(),
  state: text().$type<JobState>().notNull(),
  priority: smallint().notNull(),
  payload: jsonb().$type<Record<string, unknown>>(),
  payloadKey: text('payload_key'),
  payloadBytes: integer('payload_bytes').notNull(),
  result: jsonb().$type<unknown>(),
  resultKey: text('result_key'),
  attempts: integer().notNull(),
  maxAttempts: integer('max_attempts'),
  backoffSeconds: integer('backoff_seconds'),
  runAt: time('run_at').notNull(),
  groupName: text('group_name'),
  uniqueKey: text('unique_key'),
  uniqueUntil: time('unique_until'),
  parent: text(),
  origin: text(),
  progress: jsonb().$type<JobProgress>(),
  errors: jsonb().$type<JobFailure[]>().notNull(),
  principalId: text('principal_id').notNull(),
  principalKind: text('principal_kind').$type<PrincipalKind>().notNull(),
  principalTenant: text('principal_tenant').notNull(),
  requestId: text('request_id').notNull(),
  traceparent: text(),
  lease: text(),
  leaseUntil: time('lease_until'),
  losses: integer().notNull(),
  slot: time('slot'),
  woken: boolean().notNull(),
  createdAt: time('created_at').notNull(),
  startedAt: time('started_at'),
  finishedAt: time('finished_at'),
  cancelRequestedAt: time('cancel_requested_at'),
})

/** How the jobs of a type are run, where not as all are. */
export const types = schema.table('types', {
  type: text().primaryKey(),
  maxAttempts: integer('max_attempts'),
  backoffSeconds: integer('backoff_seconds'),
  ratePerMinute: integer('rate_per_minute'),
  concurrency: integer(),
  nextSlot: time('next_slot'),
})

/** Texts that models wrote. */
export const generations = schema.table('generations', {
  id: text().primaryKey(),
  ns: text().notNull(),
  prompt: text().notNull(),
  model: text().notNull(),
  text: text().notNull(),
  createdBy: text('created_by').notNull(),
  createdAt: time('created_at').notNull(),
})
