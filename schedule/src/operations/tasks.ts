import { batch, database } from '@dot-do/worker-data/database'
import { commit } from '@dot-do/worker-data/ledger'
import type { Call } from '@dot-do/worker-kernel/call'
import { generateId, namespaceFor, ServiceError, toServiceError } from '@dot-do/worker-utils'
import { and, eq, isNull } from 'drizzle-orm'
import { authorityOf } from '../authority.ts'
import { wakeClock } from '../clocks.ts'
import type { Env } from '../env.ts'
import type { Operations } from '../operations.ts'
import { findTask, shownTask, type TaskState } from '../rows.ts'
import { SCHEMA, tasks, type TaskRow } from '../tables.ts'
import { refuseTarget } from '../target.ts'
import { nextTimes, refuseTiming, type Timing } from '../timing.ts'

type Changes = Partial<Omit<TaskRow, 'id'>>

export const createTask: Operations['createTask'] = async (input, call) => {
  const ns = namespaceFor(call.principal, input.ns)
  const now = Date.now()
  refuseTiming(input.timing, now)
  refuseTarget(input.target, call.principal, input.timeoutSeconds)
  const task = newTask(input, { ns, now }, call)
  const answer = shownTask({ ...task, last: null })
  await commit(call, SCHEMA, { statements: [database(call).insert(tasks).values(task)], answer }).catch(taken(task.name))
  call.waitUntil(wakeClock(task.id, call.env))
  return answer
}

export const updateTask: Operations['updateTask'] = async ({ ns, id, ifVersion, ...input }, call) => {
  const task = await findTask({ ns, id }, call)
  if (ifVersion !== undefined && ifVersion !== task.version) throw new ServiceError('CONFLICT', `The task has version ${task.version}, not ${ifVersion}`)
  return changeTask(task, changesOf(task, input, call), call)
}

export const deleteTask: Operations['deleteTask'] = async ({ ns, id }, call) => {
  const task = await findTask({ ns, id }, call).catch(absent)
  if (!task) return { id, deleted: false }
  if (task.builtIn) throw new ServiceError('FORBIDDEN', `${task.name} comes with the platform; it can be paused, not deleted`)
  const at = new Date().toISOString()
  const gone = { deletedAt: at, updatedAt: at, nextRunAt: null, enabled: false, version: task.version + 1 }
  await batch(call, [
    database(call)
      .update(tasks)
      .set(gone)
      .where(and(eq(tasks.id, task.id), isNull(tasks.deletedAt))),
    { sql: `select schedule.drop_waiting($1, 'cancelled', 'Its task was deleted', $2::timestamptz)`, params: [task.id, at] },
  ])
  call.waitUntil(wakeClock(task.id, call.env))
  return { id: task.id, deleted: true }
}

export const enable: Operations['enable'] = async ({ ns, id }, call) => {
  const task = await findTask({ ns, id }, call)
  if (task.enabled) return shownTask(task)
  return changeTask(task, { enabled: true, note: null, ...timed(task.timing, { now: Date.now(), enabled: true }) }, call)
}

export const disable: Operations['disable'] = async ({ ns, id, note = null }, call) => {
  const task = await findTask({ ns, id }, call)
  if (!task.enabled && task.note === note) return shownTask(task)
  const paused = await changeTask(task, { enabled: false, note, nextRunAt: null }, call)
  const params = [task.id, new Date().toISOString()]
  await batch(call, [{ sql: `select schedule.drop_waiting($1, 'skipped', 'Its task was paused', $2::timestamptz)`, params }])
  return paused
}

function newTask(input: Parameters<Operations['createTask']>[0], { ns, now }: { ns: string; now: number }, call: Call<Env>): TaskRow {
  const at = new Date(now).toISOString()
  const { name, description, target, overlap, catchUpSeconds, jitterSeconds, retries, retryAfterSeconds, timeoutSeconds, enabled } = input
  return {
    id: generateId('task'),
    ns,
    name,
    description,
    target,
    overlap,
    catchUpSeconds,
    jitterSeconds,
    retries,
    retryAfterSeconds,
    timeoutSeconds,
    enabled,
    alertAfterSeconds: input.alertAfterSeconds ?? null,
    note: input.note ?? null,
    builtIn: false,
    ...ownedBy(call),
    ...timed(anchored(input.timing, at), { now, enabled }),
    version: 1,
    armedVersion: null,
    createdBy: call.principal.id,
    createdAt: at,
    updatedAt: at,
    deletedAt: null,
  }
}

function changesOf(task: TaskState, input: Omit<Parameters<Operations['updateTask']>[0], 'ns' | 'id' | 'ifVersion'>, call: Call<Env>): Changes {
  const { timing, target, timeoutSeconds = task.timeoutSeconds } = input
  const now = Date.now()
  if (timing) refuseTiming(timing, now)
  if (target || input.timeoutSeconds !== undefined) refuseTarget(target ?? task.target, call.principal, timeoutSeconds)
  const named = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined)) as Changes // the names of its fields are those of the columns
  return {
    ...named,
    ...(target ? ownedBy(call) : {}),
    ...(timing ? timed(anchored(timing, new Date(now).toISOString()), { now, enabled: task.enabled }) : {}),
  }
}

/** Writes the next version of a task, unless another one was written meanwhile. */
async function changeTask(task: TaskState, changes: Changes, call: Call<Env>) {
  const { last: _last, ...row } = task
  const next = { ...row, ...changes, version: row.version + 1, updatedAt: new Date().toISOString() }
  // The clock writes its own columns between the reading and this: only what changes is set.
  const written = await database(call)
    .update(tasks)
    .set({ ...changes, version: next.version, updatedAt: next.updatedAt })
    .where(and(eq(tasks.id, row.id), eq(tasks.version, row.version), isNull(tasks.deletedAt)))
    .returning()
    .catch(taken(next.name))
  const [changed] = written
  if (!changed) throw new ServiceError('CONFLICT', 'Somebody else changed the task at the same time; look at it and try again')
  call.waitUntil(wakeClock(row.id, call.env))
  return shownTask({ ...changed, last: task.last })
}

function ownedBy(call: Call<Env>): Pick<TaskRow, 'principalId' | 'principalKind' | 'principalTenant'> {
  const { id, kind, tenant } = authorityOf(call.principal)
  return { principalId: id, principalKind: kind, principalTenant: tenant }
}

/** An interval without an anchor is counted from when it was said. */
function anchored(timing: Timing, at: string): Timing {
  return 'everySeconds' in timing ? { anchor: at, ...timing } : timing
}

/** A task's times from now on. A date that is just over still counts. */
function timed(timing: Timing, { now, enabled }: { now: number; enabled: boolean }): Pick<TaskRow, 'timing' | 'settledUntil' | 'nextRunAt'> {
  const settled = 'at' in timing && Date.parse(timing.at) > now - 60_000 ? Math.min(now, Date.parse(timing.at) - 1) : now
  const [next] = enabled ? nextTimes(timing, settled, 1) : []
  return { timing, settledUntil: new Date(settled).toISOString(), nextRunAt: next === undefined ? null : new Date(next).toISOString() }
}

function taken(name: string): (thrown: unknown) => never {
  return (thrown) => {
    if (toServiceError(thrown).code !== 'CONFLICT') throw thrown
    throw new ServiceError('CONFLICT', `There is a task ${name} already`, { details: [{ path: 'name', message: 'is taken' }] })
  }
}

function absent(thrown: unknown): undefined {
  if (toServiceError(thrown).code !== 'NOT_FOUND') throw thrown
  return undefined
}
