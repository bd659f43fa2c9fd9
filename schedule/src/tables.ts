import type { Execution, overlap, Target, trigger } from '@dot-do/worker-contracts/task'
import type { PrincipalKind } from '@dot-do/worker-types'
import { boolean, integer, jsonb, pgSchema, text, timestamp } from 'drizzle-orm/pg-core'
import type * as z from 'zod'
import type { Timing } from './timing.ts'

/** The PostgreSQL schema that is schedule's own; migrations/ makes what this describes. */
export const SCHEMA = 'schedule'

const schema = pgSchema(SCHEMA)
const time = (name: string) => timestamp(name, { withTimezone: true, mode: 'string' })
const kind = (name: string) => text(name).$type<Exclude<PrincipalKind, 'anonymous'>>()

/** Tasks; see migrations/0001_tasks.sql for what each column means. */
export const tasks = schema.table('tasks', {
  id: text().primaryKey(),
  ns: text().notNull(),
  name: text().notNull(),
  description: text().notNull(),
  timing: jsonb().$type<Timing>().notNull(),
  target: jsonb().$type<z.output<typeof Target>>().notNull(),
  overlap: text().$type<z.output<typeof overlap>>().notNull(),
  catchUpSeconds: integer('catch_up_seconds').notNull(),
  jitterSeconds: integer('jitter_seconds').notNull(),
  retries: integer().notNull(),
  retryAfterSeconds: integer('retry_after_seconds').notNull(),
  timeoutSeconds: integer('timeout_seconds').notNull(),
  alertAfterSeconds: integer('alert_after_seconds'),
  enabled: boolean().notNull(),
  note: text(),
  builtIn: boolean('built_in').notNull(),
  principalId: text('principal_id').notNull(),
  principalKind: kind('principal_kind').notNull(),
  principalTenant: text('principal_tenant').notNull(),
  version: integer().notNull(),
  armedVersion: integer('armed_version'),
  nextRunAt: time('next_run_at'),
  settledUntil: time('settled_until').notNull(),
  createdBy: text('created_by').notNull(),
  createdAt: time('created_at').notNull(),
  updatedAt: time('updated_at').notNull(),
  deletedAt: time('deleted_at'),
})

/** What became of each time. */
export const executions = schema.table('executions', {
  id: text().primaryKey(),
  taskId: text('task_id').notNull(),
  ns: text().notNull(),
  taskName: text('task_name').notNull(),
  trigger: text().$type<z.output<typeof trigger>>().notNull(),
  state: text().$type<z.output<typeof Execution>['state']>().notNull(),
  scheduledFor: time('scheduled_for').notNull(),
  startedAt: time('started_at'),
  finishedAt: time('finished_at'),
  attempts: integer().notNull(),
  dueAt: time('due_at'),
  deadline: time('deadline'),
  arguments: jsonb().$type<Record<string, unknown>>(),
  principalId: text('principal_id'),
  principalKind: kind('principal_kind'),
  principalTenant: text('principal_tenant'),
  jobId: text('job_id'),
  error: jsonb().$type<z.output<typeof Execution>['error']>(),
  result: jsonb().$type<unknown>(),
  log: jsonb().$type<z.output<typeof Execution>['log']>().notNull(),
})

/** A task's row. */
export type TaskRow = typeof tasks.$inferSelect

/** An execution's row. */
export type ExecutionRow = typeof executions.$inferSelect
