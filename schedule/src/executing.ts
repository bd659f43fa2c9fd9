import { batch } from '@dot-do/worker-data/database'
import type { Call } from '@dot-do/worker-kernel/call'
import { jobTarget } from '@dot-do/worker-contracts/job-types'
import { refusalOf, type Attempt, type Ending } from './attempts.ts'
import type { Env } from './env.ts'
import type { Plan } from './plan.ts'
import type { TaskRow } from './tables.ts'
import { takesTime } from './target.ts'

/** What the database says of a step; migrations/0003_executing.sql makes it. `stale` and nothing else where the row is another version; nothing at all where there is no task. */
export interface Step {
  begun: Attempt[]
  ended: string[]
  resumed: Attempt[]
  settledUntil: string
  wakeAt: string | null
  more: boolean
  deleted: boolean
  unfinished: boolean
}

/** As many executions begin in one step; the next follows at once. */
const MOST_BEGUN = 100

/** Notes the times that came and begins what may: one transaction, and one way to the database and back. */
export async function takeStep(
  task: TaskRow,
  { plan, now, mine }: { plan: Plan; now: number; mine: string[] },
  call: Call<Env>,
): Promise<Step | 'stale' | 'gone'> {
  const { times, settledUntil, nextRunAt } = plan
  const asked = {
    task: task.id,
    version: task.version,
    now: new Date(now).toISOString(),
    traceparent: call.traceparent,
    times,
    settledUntil,
    nextRunAt,
    mine,
    limit: MOST_BEGUN,
    ...jobOf(task),
  }
  const [result] = await batch(call, [{ sql: 'select schedule.tick($1::jsonb)', params: [JSON.stringify(asked)] }])
  const step = result?.rows[0]?.[0] as Partial<Step> & { stale?: true } // what the function makes
  if (step.stale) return 'stale'
  return step.begun ? (step as Step) : 'gone'
}

/** Tells the database how an attempt ended. `waiting` says whether the task's clock has something to begin or to wait for. */
export async function settle(
  ended: { execution: string; job?: string; attempt?: number },
  ending: Ending,
  call: Call<Env>,
): Promise<{ settled: boolean; task?: string; waiting?: boolean }> {
  const asked = { ...ended, ...ending, now: new Date().toISOString() }
  const [result] = await batch(call, [{ sql: 'select schedule.settle($1::jsonb)', params: [JSON.stringify(asked)] }])
  return result?.rows[0]?.[0] as { settled: boolean; task?: string; waiting?: boolean } // what the function makes
}

function jobOf({ target }: TaskRow): object {
  const refusal = refusalOf(target)
  const refused = refusal ? { refusal } : {}
  if (target.kind !== 'job') return refused
  const { type, payload, priority, group, maxAttempts } = target
  return { ...refused, ...(takesTime(target) ? { takesTime: true } : {}), job: { type: jobTarget(type)?.type ?? type, payload, priority, group, maxAttempts } }
}
