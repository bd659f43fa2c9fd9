import { batch } from '@dot-do/worker-data/database'
import type { Call } from '@dot-do/worker-kernel/call'
import { log } from '@dot-do/worker-utils'
import { wakeClock } from './clocks.ts'
import type { Env } from './env.ts'

/** As many clocks are woken in one go: a Worker may ask so many others. What is left waits for the next. */
const MOST_CLOCKS = 500

/** A clock may be late by so much, in milliseconds, before it is taken for lost. */
const PATIENCE_MS = 60_000

/** Clocks that were never set or go by an old version, that should have rung, or whose executions nobody looks after. */
const LOST = `select task_id from (
    select t.id as task_id, t.updated_at as since from schedule.tasks t where t.armed_version is distinct from t.version and t.updated_at < $1::timestamptz
    union all select t.id, t.next_run_at from schedule.tasks t where t.enabled and t.deleted_at is null and t.next_run_at < $1::timestamptz
    union all select e.task_id, coalesce(e.deadline, e.due_at) from schedule.executions e where e.finished_at is null
      and case when e.state = 'running' then e.deadline < $1::timestamptz else e.due_at < $1::timestamptz end
  ) lost group by task_id order by min(since) limit ${MOST_CLOCKS}`

/** Clocks that will ring within an hour and have not been looked at for one: the last chance to find an alarm lost before it is late. */
const SOON = `select t.id from schedule.tasks t where t.enabled and t.deleted_at is null and t.next_run_at between $1::timestamptz and $2::timestamptz
    and t.settled_until < $1::timestamptz - interval '1 hour' order by t.next_run_at limit ${MOST_CLOCKS}`

/** Clocks that wait for long, or for nothing: those that were looked at longest ago first. */
const IDLE = `select t.id from schedule.tasks t where t.enabled and t.deleted_at is null and (t.next_run_at is null or t.next_run_at > $1::timestamptz + interval '1 hour')
    and t.settled_until < $1::timestamptz - interval '7 days' order by t.settled_until limit ${MOST_CLOCKS}`

/** Wakes the clocks that are lost; answers how many those were. */
export async function repairClocks(call: Call<Env>, now: number): Promise<number> {
  const woken = await wakeAll(call, LOST, [now - PATIENCE_MS])
  if (woken > 0) log('warn', 'clocks_repaired', { requestId: call.requestId, clocks: woken })
  return woken
}

/** Wakes the clocks that will ring soon. */
export function lookAhead(call: Call<Env>, now: number): Promise<number> {
  return wakeAll(call, SOON, [now, now + 3_600_000])
}

/** Wakes clocks that nobody had a reason to look at. */
export function auditClocks(call: Call<Env>, now: number): Promise<number> {
  return wakeAll(call, IDLE, [now])
}

async function wakeAll(call: Call<Env>, sql: string, times: number[]): Promise<number> {
  const [result] = await batch(call, [{ sql, params: times.map((time) => new Date(time).toISOString()) }])
  const ids = result?.rows.map(([id]) => String(id)) ?? []
  await Promise.all(ids.map((id) => wakeClock(id, call.env)))
  return ids.length
}
