import { database } from '@dot-do/worker-data/database'
import { placeInList } from '@dot-do/worker-utils/place-in-list'
import type { Call } from '@dot-do/worker-kernel/call'
import { decodeCursor, namespaceFor, pageOf, ServiceError } from '@dot-do/worker-utils'
import { and, desc, eq, gt, gte, isNull, lt, lte, sql, type SQL } from 'drizzle-orm'
import type { Env } from '../env.ts'
import type { Operations } from '../operations.ts'
import { findExecution, findTask, iso, lastState, shownExecution, shownTask, taskColumns } from '../rows.ts'
import { executions, tasks } from '../tables.ts'
import { nextTimes, refuseTiming } from '../timing.ts'

type Filters = Omit<Parameters<Operations['executions']>[0], 'ns' | 'task'>

export const getTask: Operations['getTask'] = async (input, call) => shownTask(await findTask(input, call))

export const listTasks: Operations['listTasks'] = async ({ ns, limit, cursor, enabled, kind, target, createdBy, dueBefore, lastState: ended }, call) => {
  const wanted = and(
    eq(tasks.ns, namespaceFor(call.principal, ns)),
    isNull(tasks.deletedAt),
    enabled === undefined ? undefined : eq(tasks.enabled, enabled),
    kind === undefined ? undefined : sql`${tasks.target} ->> 'kind' = ${kind}`,
    target === undefined ? undefined : sql`coalesce(${tasks.target} ->> 'type', ${tasks.target} ->> 'operation', ${tasks.target} ->> 'url') = ${target}`,
    createdBy === undefined ? undefined : eq(tasks.createdBy, createdBy),
    dueBefore === undefined ? undefined : lt(tasks.nextRunAt, dueBefore),
    ended === undefined ? undefined : sql`${lastState} = ${ended}`,
    cursor === undefined ? undefined : gt(tasks.name, decodeCursor(cursor, isText)),
  )
  const found = await database(call)
    .select(taskColumns)
    .from(tasks)
    .where(wanted)
    .orderBy(tasks.name)
    .limit(limit + 1)
  const { items, nextCursor } = pageOf(found, limit, ({ name }) => name)
  return { items: items.map(shownTask), nextCursor }
}

export const history: Operations['history'] = async ({ ns, id, ...filters }, call) => {
  const task = await findTask({ ns, id }, call)
  return listExecutions(eq(executions.taskId, task.id), filters, call)
}

export const executionsOf: Operations['executions'] = async ({ ns, task, ...filters }, call) => {
  const ofTask = task === undefined ? undefined : eq(executions.taskId, (await findTask({ ns, id: task }, call)).id)
  return listExecutions(and(eq(executions.ns, namespaceFor(call.principal, ns)), ofTask), filters, call)
}

export const getExecution: Operations['getExecution'] = async ({ id }, call) => {
  const row = await findExecution(id, call)
  return { ...shownExecution(row), log: row.log, ...(row.result === null ? {} : { result: row.result }) }
}

export const preview: Operations['preview'] = async ({ ns, id, count, from }, call) => {
  const { timing } = await findTask({ ns, id }, call)
  return { runs: runsOf(timing, from, count) }
}

export const previewTiming: Operations['previewTiming'] = ({ timing, count, from }) => {
  refuseTiming(timing, from === undefined ? Date.now() : Date.parse(from))
  const anchored = 'everySeconds' in timing ? { anchor: from ?? new Date().toISOString(), ...timing } : timing
  return { runs: runsOf(anchored, from, count) }
}

function runsOf(timing: Parameters<typeof nextTimes>[0], from: string | undefined, count: number): string[] {
  return nextTimes(timing, from === undefined ? Date.now() : Date.parse(from), count).map((time) => new Date(time).toISOString())
}

async function listExecutions(of: SQL | undefined, filters: Filters, call: Call<Env>) {
  const { limit, cursor, state, trigger, scheduledAfter, scheduledBefore, errorCode, job } = filters
  if (scheduledAfter !== undefined && scheduledBefore !== undefined && Date.parse(scheduledAfter) > Date.parse(scheduledBefore)) {
    throw new ServiceError('INVALID', 'scheduledAfter must not be later than scheduledBefore', {
      details: [{ path: 'scheduledAfter', message: 'is later than scheduledBefore' }],
    })
  }
  const wanted = and(
    of,
    state === undefined ? undefined : eq(executions.state, state),
    trigger === undefined ? undefined : eq(executions.trigger, trigger),
    scheduledAfter === undefined ? undefined : gte(executions.scheduledFor, scheduledAfter),
    scheduledBefore === undefined ? undefined : lte(executions.scheduledFor, scheduledBefore),
    errorCode === undefined ? undefined : sql`${executions.error} ->> 'code' = ${errorCode}`,
    job === undefined ? undefined : eq(executions.jobId, job),
    cursor === undefined ? undefined : olderThan(cursor),
  )
  const found = await database(call)
    .select()
    .from(executions)
    .where(wanted)
    .orderBy(desc(executions.scheduledFor), desc(executions.id))
    .limit(limit + 1)
  const { items, nextCursor } = pageOf(found, limit, ({ scheduledFor, id }) => [iso(scheduledFor), id])
  return { items: items.map(shownExecution), nextCursor }
}

function isText(place: unknown): place is string {
  return typeof place === 'string'
}

function olderThan(cursor: string): SQL {
  const [at, id] = placeInList(cursor)
  return sql`(${executions.scheduledFor}, ${executions.id}) < (${at}::timestamptz, ${id})`
}
