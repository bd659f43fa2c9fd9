import type { Task, ExecutionSummary } from '@dot-do/worker-contracts/task'
import { database } from '@dot-do/worker-data/database'
import type { Call } from '@dot-do/worker-kernel/call'
import { allows, namespaceFor, ServiceError } from '@dot-do/worker-utils'
import { and, eq, getTableColumns, isNull, sql, type SQL } from 'drizzle-orm'
import type * as z from 'zod'
import type { Env } from './env.ts'
import { executions, tasks, type ExecutionRow, type TaskRow } from './tables.ts'

type Shown = z.output<typeof Task>

/** What became of a task last. */
export type LastExecution = Shown['lastExecution']

/** A task's row, and what became of it last. */
export type TaskState = TaskRow & { last: LastExecution }

/** The latest execution of the task that a query is about, by the time it was for. The table is named in full: Drizzle leaves it out where there is one alone. */
const last =
  sql<LastExecution>`(select jsonb_build_object('id', e.id, 'state', e.state, 'scheduledFor', schedule.iso(e.scheduled_for)) from schedule.executions e
  where e.task_id = "tasks"."id" order by e.scheduled_for desc, e.id desc limit 1)`.as('last')

/** What a query for tasks reads of each. */
export const taskColumns = { ...getTableColumns(tasks), last }

/** The state of a task's latest execution, for conditions. */
export const lastState = sql`(select e.state from schedule.executions e where e.task_id = "tasks"."id" order by e.scheduled_for desc, e.id desc limit 1)`

/** A task by its id or its name. NOT_FOUND for one of another namespace too. */
export async function findTask({ ns, id }: { ns?: string | undefined; id: string }, call: Call<Env>): Promise<TaskState> {
  const space = namespaceFor(call.principal, ns)
  const named: SQL = id.startsWith('task_') ? eq(tasks.id, id) : sql`${tasks.name} = ${id} and ${tasks.ns} = ${space}`
  const [row] = await database(call)
    .select(taskColumns)
    .from(tasks)
    .where(and(named, isNull(tasks.deletedAt)))
  const isReachable = row !== undefined && (row.ns === space || (ns === undefined && allows(call.principal.permissions, '*')))
  if (!isReachable) throw new ServiceError('NOT_FOUND', `No task ${id}`)
  return row
}

/** An execution by its id. */
export async function findExecution(id: string, call: Call<Env>): Promise<ExecutionRow> {
  const [row] = await database(call).select().from(executions).where(eq(executions.id, id))
  if (!row || (row.ns !== call.principal.tenant && !allows(call.principal.permissions, '*'))) throw new ServiceError('NOT_FOUND', `No execution ${id}`)
  return row
}

/** A task as every interface shows it. */
export function shownTask({ last, ...row }: TaskState): Shown {
  const { id, ns, name, description, timing, target, overlap, enabled, note, builtIn, version, createdBy, alertAfterSeconds } = row
  const { catchUpSeconds, jitterSeconds, retries, retryAfterSeconds, timeoutSeconds } = row
  return {
    id,
    ns,
    name,
    description,
    timing,
    target,
    overlap,
    enabled,
    builtIn,
    version,
    createdBy,
    catchUpSeconds,
    jitterSeconds,
    retries,
    retryAfterSeconds,
    timeoutSeconds,
    ...(alertAfterSeconds === null ? {} : { alertAfterSeconds }),
    ...(note === null ? {} : { note }),
    nextRunAt: isoOf(row.nextRunAt),
    lastExecution: last,
    createdAt: iso(row.createdAt),
    updatedAt: iso(row.updatedAt),
  }
}

/** An execution as lists show it. */
export function shownExecution(row: ExecutionRow): z.output<typeof ExecutionSummary> {
  const { id, ns, taskId, taskName, trigger, state, attempts, jobId, error } = row
  return {
    id,
    ns,
    task: taskId,
    taskName,
    trigger,
    state,
    attempts,
    error,
    ...(jobId === null ? {} : { job: jobId }),
    scheduledFor: iso(row.scheduledFor),
    startedAt: isoOf(row.startedAt),
    finishedAt: isoOf(row.finishedAt),
  }
}

/** PostgreSQL writes times its own way. */
export function iso(time: string): string {
  return new Date(time).toISOString()
}

function isoOf(time: string | null): string | null {
  return time === null ? null : iso(time)
}
