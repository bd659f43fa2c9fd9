import { DurableObject } from 'cloudflare:workers'
import { database } from '@dot-do/worker-data/database'
import { callOf, type Call } from '@dot-do/worker-kernel/call'
import { log, retry, toServiceError } from '@dot-do/worker-utils'
import { eq } from 'drizzle-orm'
import { runAttempt, type Attempt } from './attempts.ts'
import type { Env } from './env.ts'
import { settle, takeStep, type Step } from './executing.ts'
import { planOf } from './plan.ts'
import { tasks, type TaskRow } from './tables.ts'

/** While an attempt runs here, the alarm rings at least so often, in milliseconds: it keeps the object alive, and after a crash somebody soon sees that nobody runs it. */
const HEARTBEAT_MS = 15_000

/** After a step that failed, the next is tried so much later at most, in milliseconds. */
const LONGEST_PAUSE_MS = 60_000

/**
 * A task's clock, and what makes its attempts where they are no jobs. It decides nothing that is not in the database first: whatever is kept here can be lost,
 * and is a copy of the row, so that an alarm costs one way there and back.
 */
export class TaskClock extends DurableObject<Env> {
  /** What ends the attempts that run here, by execution. */
  readonly #running = new Map<string, AbortController>()
  /** Whether somebody asked for a step while one was under way, which knows nothing of why. */
  #isWoken = false
  #failures = 0

  /** Looks after the task at once: it is new, was changed, or something of it ended. */
  async wake(taskId: string): Promise<void> {
    this.#isWoken = true
    this.ctx.storage.kv.put('id', taskId)
    await this.ctx.storage.setAlarm(Date.now())
  }

  /** Ends an attempt that runs here. */
  end(executionId: string): void {
    this.#running.get(executionId)?.abort()
  }

  /** One step, and the alarm for the next. A step that fails is taken again: nothing may stop the clock. */
  override async alarm(): Promise<void> {
    this.#isWoken = false
    const wakeAt = await this.#step().catch((thrown: unknown) => this.#afterFailure(thrown))
    if (this.#isWoken) await this.ctx.storage.setAlarm(Date.now())
    else if (wakeAt !== undefined) await this.ctx.storage.setAlarm(wakeAt)
  }

  /** When the next step is to be; undefined where nothing is left to wait for. */
  async #step(): Promise<number | undefined> {
    const call = this.#call()
    const task = await this.#task(call)
    if (!task) return this.#forget()
    const now = Date.now()
    const plan = planOf(task, now)
    const step = await takeStep(task, { plan, now, mine: [...this.#running.keys()] }, call)
    this.#failures = 0
    if (step === 'gone') return this.#forget()
    if (step === 'stale') {
      this.ctx.storage.kv.delete('task')
      return now
    }
    if (step.deleted && !step.unfinished) return this.#forget()
    this.ctx.storage.kv.put('task', { ...task, settledUntil: step.settledUntil })
    this.#begin(task, step, call)
    return step.more || plan.more ? now : this.#soonest(plan.nextRunAt, step.wakeAt)
  }

  #begin(task: TaskRow, { begun, ended, resumed }: Step, call: Call<Env>): void {
    for (const id of ended) this.end(id)
    const jobs = begun.flatMap(({ jobId }) => jobId ?? [])
    // A hint that is lost costs a minute: queue sweeps.
    if (jobs.length > 0) this.ctx.waitUntil(this.env.JOBS_NORMAL_QUEUE.send({ jobs }).catch((thrown: unknown) => warn('hint_failed', task, thrown)))
    for (const attempt of [...resumed, ...begun]) if (attempt.jobId === null || attempt.jobId === undefined) this.ctx.waitUntil(this.#run(task, attempt, call))
  }

  async #run(task: TaskRow, attempt: Attempt, call: Call<Env>): Promise<void> {
    const ending = new AbortController()
    this.#running.set(attempt.id, ending)
    try {
      const how = await runAttempt(task, attempt, { call, signal: ending.signal })
      const { waiting } = await retry(() => settle({ execution: attempt.id, attempt: attempt.attempt }, how, call))
      if (waiting) await this.wake(task.id)
    } catch (thrown) {
      // It is made again with the same key, once a step finds that it runs nowhere.
      warn('settling_failed', task, thrown)
    } finally {
      this.#running.delete(attempt.id)
    }
  }

  async #task(call: Call<Env>): Promise<TaskRow | undefined> {
    const kept = this.ctx.storage.kv.get<TaskRow>('task')
    if (kept) return kept
    const [row] = await database(call)
      .select()
      .from(tasks)
      .where(eq(tasks.id, this.ctx.storage.kv.get<string>('id') ?? ''))
    return row
  }

  #soonest(...times: (string | null)[]): number | undefined {
    const known = times.flatMap((time) => (time === null ? [] : Date.parse(time)))
    if (this.#running.size > 0) known.push(Date.now() + HEARTBEAT_MS)
    return known.length > 0 ? Math.min(...known) : undefined
  }

  async #forget(): Promise<undefined> {
    await this.ctx.storage.deleteAll()
    return undefined
  }

  #afterFailure(thrown: unknown): number {
    this.#failures += 1
    log('error', 'clock_step_failed', { task: this.ctx.storage.kv.get('id'), failures: this.#failures, ...told(thrown) })
    return Date.now() + Math.min(LONGEST_PAUSE_MS, 1000 * 2 ** Math.min(this.#failures, 10))
  }

  /** Reading and settling are schedule's own doing; whose authority an attempt has is looked up for each. */
  #call(): Call<Env> {
    return callOf({ env: this.env, waitUntil: (promise) => this.ctx.waitUntil(promise) }, 'queue')
  }
}

function warn(event: string, { id }: TaskRow, thrown: unknown): void {
  log('warn', event, { task: id, ...told(thrown) })
}

function told(thrown: unknown): Record<string, unknown> {
  const { code, message, cause } = toServiceError(thrown)
  return { code, message, cause }
}
