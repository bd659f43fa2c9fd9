import { batch, database } from '@dot-do/worker-data/database'
import { commit } from '@dot-do/worker-data/ledger'
import type { Call } from '@dot-do/worker-kernel/call'
import type { Principal } from '@dot-do/worker-types'
import { generateId, log, ServiceError, toServiceError } from '@dot-do/worker-utils'
import { endingOfJob } from '../attempts.ts'
import { authorityOf, resolveAuthority } from '../authority.ts'
import { clockOf, wakeClock } from '../clocks.ts'
import type { Env } from '../env.ts'
import { settle } from '../executing.ts'
import type { Operations } from '../operations.ts'
import { findExecution, findTask, shownExecution, type TaskState } from '../rows.ts'
import { executions, SCHEMA, type ExecutionRow } from '../tables.ts'
import { problemOf, refuseTarget, withArguments, type Target } from '../target.ts'
import { timesWithin } from '../timing.ts'

/** As many times are made up for at once. */
const MOST_BACKFILLED = 1000
const SHOWN_RUNS = 100

export const runNow: Operations['runNow'] = async ({ ns, id, arguments: given, dry }, call) => {
  const task = await findTask({ ns, id }, call)
  const target = withArguments(task.target, given)
  if (dry) {
    const answer = { execution: null, would: { ...(await foresee(task, { target, isOwn: given === undefined }, call)), target } }
    await commitAnswer(call, answer)
    return answer
  }
  // Whoever says what is done needs the right to it; whoever only says when does not.
  if (given !== undefined) refuseTarget(target, call.principal, task.timeoutSeconds)
  const row = manualExecution(task, { given, principal: call.principal })
  const answer = { execution: shownExecution(row), would: null }
  await commit(call, SCHEMA, { statements: [database(call).insert(executions).values(row)], answer })
  call.waitUntil(wakeClock(task.id, call.env))
  return answer
}

export const backfill: Operations['backfill'] = async ({ ns, id, from, to, dry }, call) => {
  const task = await findTask({ ns, id }, call)
  const runs = await openTimes(task, { from: Date.parse(from), to: Date.parse(to) }, call)
  const answer = { count: runs.length, runs: runs.slice(0, SHOWN_RUNS) }
  if (dry || runs.length === 0) {
    await commitAnswer(call, answer)
    return answer
  }
  const params = [task.id, JSON.stringify(runs.map((at) => ({ id: generateId('exec'), at }))), new Date().toISOString()]
  await commit(call, SCHEMA, { statements: [{ sql: 'select schedule.backfill($1, $2::jsonb, $3::timestamptz)', params }], answer })
  call.waitUntil(wakeClock(task.id, call.env))
  return answer
}

export const cancelExecution: Operations['cancelExecution'] = async ({ id }, call) => {
  const before = await findExecution(id, call)
  if (before.finishedAt === null) {
    const [result] = await batch(call, [{ sql: 'select schedule.cancel($1, $2::timestamptz)', params: [id, new Date().toISOString()] }])
    const task = result?.rows[0]?.[0]
    if (typeof task === 'string') call.waitUntil(endHere(task, id, call))
  }
  return shownExecution(await findExecution(id, call))
}

export const settleExecution: Operations['settleExecution'] = async ({ id, job, state, result, error }, call) => {
  const { settled, task, waiting } = await settle({ execution: id, job }, endingOfJob(state, result, error), call)
  if (task !== undefined && waiting) call.waitUntil(wakeClock(task, call.env))
  return { settled }
}

export const cleanUpExecutions: Operations['cleanUpExecutions'] = async ({ olderThanDays }, call) => {
  const before = new Date(Date.now() - olderThanDays * 86_400_000).toISOString()
  const [removedExecutions, removedAlerts] = await batch(call, [
    { sql: 'with gone as (delete from schedule.executions where finished_at < $1::timestamptz returning 1) select count(*) from gone', params: [before] },
    { sql: 'with gone as (delete from schedule.alerts where closed_at < $1::timestamptz returning 1) select count(*) from gone', params: [before] },
    // A deleted task whose history is gone is nobody's any more.
    {
      sql: 'delete from schedule.tasks t where deleted_at < $1::timestamptz and not exists (select from schedule.executions e where e.task_id = t.id)',
      params: [before],
    },
  ])
  return { removed: Number(removedExecutions?.rows[0]?.[0]) + Number(removedAlerts?.rows[0]?.[0]) }
}

/** Whether a run would be allowed now; with arguments of somebody's, to them, and otherwise to whoever the task belongs to. */
async function foresee(
  task: TaskState,
  { target, isOwn }: { target: Target; isOwn: boolean },
  call: Call<Env>,
): Promise<{ allowed: boolean; reason?: string }> {
  const { principalId: id, principalKind: kind, principalTenant: tenant } = task
  try {
    const problem = problemOf(target)
    if (problem) throw problem
    const principal = isOwn ? await resolveAuthority({ id, kind, tenant }, call) : call.principal
    if (principal) refuseTarget(target, principal, task.timeoutSeconds)
    return { allowed: true }
  } catch (thrown) {
    const { code, message } = toServiceError(thrown)
    if (code === 'INTERNAL' || code === 'UNAVAILABLE') throw thrown
    return { allowed: false, reason: message }
  }
}

function manualExecution(task: TaskState, { given, principal }: { given: Record<string, unknown> | undefined; principal: Principal }): ExecutionRow {
  const at = new Date().toISOString()
  const authority = given === undefined ? undefined : authorityOf(principal)
  return {
    id: generateId('exec'),
    taskId: task.id,
    ns: task.ns,
    taskName: task.name,
    trigger: 'manual',
    state: 'waiting',
    scheduledFor: at,
    startedAt: null,
    finishedAt: null,
    attempts: 0,
    dueAt: at,
    deadline: null,
    arguments: given ?? null,
    principalId: authority?.id ?? null,
    principalKind: authority?.kind ?? null,
    principalTenant: authority?.tenant ?? null,
    jobId: null,
    error: null,
    result: null,
    log: [{ at, message: `Asked for by ${principal.id}` }],
  }
}

/** The times of a stretch of the past that have not run and will not by themselves. */
async function openTimes(task: TaskState, { from, to }: { from: number; to: number }, call: Call<Env>): Promise<string[]> {
  if (from > to) throw refusal('from', 'must not be later than to')
  if (to > Date.now()) throw refusal('to', 'must not be in the future')
  const times = timesWithin(task.timing, { after: from - 1, until: to }, MOST_BACKFILLED + 1)
  if (times.length > MOST_BACKFILLED) throw refusal('to', `is too far from from: at most ${MOST_BACKFILLED} times are made up for at once`)
  const runs = times.map((time) => new Date(time).toISOString())
  const sql = `select schedule.iso(scheduled_for) from schedule.executions where task_id = $1 and scheduled_for between $2::timestamptz and $3::timestamptz
    and trigger <> 'manual' and state not in ('missed', 'skipped')`
  const [result] = await batch(call, [{ sql, params: [task.id, new Date(from).toISOString(), new Date(to).toISOString()] }])
  const known = new Set(result?.rows.map(([at]) => at))
  return runs.filter((at) => !known.has(at))
}

/** For an answer without an effect: what is remembered is the answer alone. */
async function commitAnswer(call: Call<Env>, answer: object): Promise<void> {
  if (call.entry) await commit(call, SCHEMA, { statements: [], answer })
}

async function endHere(task: string, execution: string, call: Call<Env>): Promise<void> {
  try {
    await clockOf(task, call.env).end(execution)
  } catch (thrown) {
    log('warn', 'clock_unreachable', { task, cause: toServiceError(thrown).cause })
  }
  await wakeClock(task, call.env)
}

function refusal(path: string, message: string): ServiceError {
  return new ServiceError('INVALID', `${path}: ${message}`, { details: [{ path, message }] })
}
