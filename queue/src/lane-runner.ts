import type { Progress } from '@dot-do/worker-contracts/job'
import { batch } from '@dot-do/worker-data/database'
import type { Call } from '@dot-do/worker-kernel/call'
import { generateId, log, toServiceError } from '@dot-do/worker-utils'
import type * as z from 'zod'
import { tellOrigins, type Ended } from './origins.ts'
import type { Env } from './env.ts'
import { laneOf, sendHints, type Lane } from './hint.ts'
import type { JobContext } from './job-context.ts'
import type { ClaimedJob } from './job-row.ts'
import { runJob } from './run-job.ts'
import { settlementOf } from './settling.ts'
import { beat, LEASE_MS, takeTurn, type Settlement, type Turn } from './turns.ts'
import { wakeBy, wakeLanes } from './waking.ts'

/** So many jobs one runner has under way. */
const CAPACITY = 50

/** Well below the lease, and how late a running job hears that somebody cancelled it. */
const BEAT_MS = 5_000

/** After so long, what is left goes back to the lane: a consumer of Cloudflare Queues has fifteen minutes, and the last jobs want some of them. */
const SHIFT_MS = 30_000

interface Running {
  job: ClaimedJob
  isCancelled: boolean
}

/**
 * Runs the jobs of one batch of hints, and those that may begin when they end. Each turn settles what ended since the last one and takes as many as there is room for, so that a slow job holds up
 * nobody, and many quick ones cost few round trips.
 */
export class LaneRunner {
  readonly #lane: Lane
  readonly #call: Call<Env>
  readonly #name = generateId('runner')
  readonly #waiting: string[]
  readonly #running = new Map<string, Running>()
  readonly #told: Promise<void>[] = []
  #ended: { settlement: Settlement; job: ClaimedJob }[] = []
  #bell = Promise.withResolvers<void>()
  #wokenBy = Infinity
  readonly #begun = Promise.withResolvers<void>()

  constructor(jobs: readonly string[], lane: Lane, call: Call<Env>) {
    this.#waiting = [...new Set(jobs)]
    this.#lane = lane
    this.#call = call
    this.#begun.promise.catch(() => undefined)
  }

  /** Settles when no job waits to be looked at any more. */
  get begun(): Promise<void> {
    return this.#begun.promise
  }

  /** Settles when all is done. Fails when the database cannot be asked; what runs then is taken up by somebody else when its lease ends. */
  async run(): Promise<void> {
    const shiftEnds = Date.now() + SHIFT_MS
    const heart = setInterval(() => void this.#beat(), BEAT_MS)
    try {
      while (this.#waiting.length + this.#running.size + this.#ended.length > 0) {
        await this.#step()
        if (Date.now() >= shiftEnds) await this.#handOver()
      }
      await Promise.all(this.#told)
    } catch (thrown) {
      this.#begun.reject(thrown)
      throw thrown
    } finally {
      clearInterval(heart)
      this.#begun.resolve()
    }
  }

  async #step(): Promise<void> {
    const room = CAPACITY - this.#running.size
    if (this.#ended.length === 0 && (this.#waiting.length === 0 || room === 0)) {
      await this.#bell.promise
      this.#bell = Promise.withResolvers<void>()
      return
    }
    const ended = this.#ended
    this.#ended = []
    const turn = await takeTurn({ runner: this.#name, ended: ended.map(({ settlement }) => settlement), asked: this.#waiting.splice(0, room) }, this.#call)
    this.#follow(turn, ended)
    for (const job of turn.claimed) void this.#start(job)
    if (this.#waiting.length === 0) this.#begun.resolve()
  }

  /** Lets everybody know whom what ended concerns. */
  #follow({ next, settled, claimed, wakeAt }: Turn, ended: Ended[]): void {
    const own = next.filter(({ priority }) => laneOf(priority) === this.#lane).map(({ id }) => id)
    this.#waiting.unshift(...new Set(own))
    wakeLanes(
      next.filter(({ priority }) => laneOf(priority) !== this.#lane),
      this.#call,
    )
    const times = ended.flatMap(({ settlement: { run_at } }) => (run_at === undefined ? [] : [Date.parse(run_at)]))
    if (wakeAt !== null) times.push(Date.parse(wakeAt))
    // Should this be the last that is heard of this runner, somebody will look.
    if (claimed.length > 0) times.push(Date.now() + LEASE_MS)
    this.#wakeBy(Math.min(...times))
    const mine = new Set(settled)
    this.#told.push(
      tellOrigins(
        ended.filter(({ job }) => mine.has(job.id)),
        this.#call,
      ),
    )
  }

  /** A Waker that looks before will see for itself when to look next. */
  #wakeBy(time: number): void {
    if (time === Infinity || (this.#wokenBy <= time && this.#wokenBy > Date.now())) return
    this.#wokenBy = time
    wakeBy(new Date(time).toISOString(), this.#call)
  }

  async #start(job: ClaimedJob): Promise<void> {
    const running: Running = { job, isCancelled: false }
    this.#running.set(job.id, running)
    const outcome = await runJob(job, this.#call, this.#contextOf(running))
    const settlement = await settlementOf(job, outcome, this.#call.env).catch((thrown: unknown) => unsettled(job, thrown))
    this.#running.delete(job.id)
    if (settlement) this.#ended.push({ settlement, job })
    this.#bell.resolve()
  }

  #contextOf(running: Running): JobContext {
    const { job } = running
    return {
      job,
      isCancelled: () => running.isCancelled,
      park: () => undefined,
      giveUp: () => undefined,
      progress: async (progress: z.input<typeof Progress>) => {
        const sql = 'update queue.jobs set progress = $3::jsonb where id = $1 and lease = $2'
        await batch(this.#call, [{ sql, params: [job.id, this.#name, JSON.stringify(progress)] }])
      },
    }
  }

  async #beat(): Promise<void> {
    if (this.#running.size === 0) return
    try {
      const { lost, cancelled } = await beat([...this.#running.keys()], this.#name, this.#call)
      for (const id of [...lost, ...cancelled]) {
        const running = this.#running.get(id)
        if (running) running.isCancelled = true
      }
    } catch (thrown) {
      const { code, message, cause } = toServiceError(thrown)
      log('warn', 'lease_not_extended', { runner: this.#name, code, message, cause })
    }
  }

  async #handOver(): Promise<void> {
    const priority = { 'jobs-high': 9, 'jobs-normal': 5, 'jobs-low': 0 }[this.#lane]
    await sendHints(
      this.#waiting.splice(0).map((id) => ({ id, priority })),
      this.#call.env,
    )
    this.#begun.resolve()
  }
}

/** A result that cannot be kept: the job stays whose it is until its lease ends, and is run again then. */
function unsettled({ id: job }: ClaimedJob, thrown: unknown): undefined {
  const { code, message, cause } = toServiceError(thrown)
  log('error', 'result_not_kept', { job, code, message, cause })
}
