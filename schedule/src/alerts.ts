import { batch } from '@dot-do/worker-data/database'
import type { Call } from '@dot-do/worker-kernel/call'
import { closeOtherAlerts, openAlerts, type Trouble } from './alert-rows.ts'
import type { Env } from './env.ts'
import { latestWithin, type Timing } from './timing.ts'

/** So many tasks are looked at together. */
const PAGE_TASKS = 1_000

/** A task that somebody wants to be told of when it misses its time. */
interface Watched {
  id: string
  ns: string
  name: string
  timing: Timing
  alertAfterSeconds: number
  /** Times before its last change were of another task, as it were. */
  changedAt: string
  /** The latest time it has completed for. */
  completedFor: string | null
}

const WATCHED = `select t.id, t.ns, t.name, t.timing, t.alert_after_seconds, t.updated_at, (
    select e.scheduled_for from schedule.executions e where e.task_id = t.id and e.state = 'completed' order by e.scheduled_for desc, e.id desc limit 1)
  from schedule.tasks t where t.enabled and t.deleted_at is null and t.alert_after_seconds is not null and t.id > $1 order by t.id limit ${PAGE_TASKS}`

/**
 * The dead man's switch: opens an alert for every task that has not completed for a time that is longer past than it may be, whoever's fault that was, and closes those of
 * tasks that have since, or that are paused or gone. It asks no clock, so it also tells when the clocks are what failed.
 */
export async function checkMissedTasks(call: Call<Env>, now: number): Promise<void> {
  const troubles: Trouble[] = []
  for (let after = ''; ;) {
    const page = await readWatched(after, call)
    troubles.push(...page.flatMap((task) => troubleOf(task, now) ?? []))
    if (page.length < PAGE_TASKS) break
    after = page.at(-1)?.id ?? ''
  }
  const at = new Date(now).toISOString()
  const subjects = troubles.map(({ subject }) => subject)
  await batch(call, [openAlerts('task-missed', troubles, at), closeOtherAlerts('task-missed', subjects, at)])
}

async function readWatched(after: string, call: Call<Env>): Promise<Watched[]> {
  const [found] = await batch(call, [{ sql: WATCHED, params: [after] }])
  return (found?.rows ?? []).map(([id, ns, name, timing, alertAfterSeconds, changedAt, completedFor]) => ({
    id: String(id),
    ns: String(ns),
    name: String(name),
    alertAfterSeconds: Number(alertAfterSeconds),
    changedAt: String(changedAt),
    timing: timing as Timing, // it was parsed before it was written
    completedFor: completedFor === null ? null : String(completedFor),
  }))
}

/** A task whose latest time that is long enough past has not been completed, nor any after it. */
function troubleOf({ id, ns, name, timing, alertAfterSeconds, changedAt, completedFor }: Watched, now: number): Trouble | undefined {
  const since = Math.max(Date.parse(changedAt), completedFor === null ? 0 : Date.parse(completedFor))
  const [missed] = latestWithin(timing, { after: since, until: now - alertAfterSeconds * 1000 }, 1)
  if (missed === undefined) return undefined
  return { ns, subject: id, message: `${name} was due at ${new Date(missed).toISOString()} and has not completed since` }
}
