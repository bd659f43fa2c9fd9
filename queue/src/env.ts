import type { Auth } from '@dot-do/worker-contracts/auth'
import type { Service } from '@dot-do/worker-contracts/contract'
import type { Db } from '@dot-do/worker-contracts/db'
import type { Schedule } from '@dot-do/worker-contracts/schedule'
import type { BaseEnv } from '@dot-do/worker-types'
import type { Hint } from './hint.ts'
import type { Waker } from './waker.ts'

export interface Env extends BaseEnv {
  /** The tables of the schema `queue`, by SQL under the role `queue`; and what `db.*` jobs run. */
  DB_SERVICE: Service<Db>
  /** Whose authority a job has when it runs; and what `auth.*` jobs run. */
  AUTH_SERVICE: Service<Auth>
  /** What `schedule.*` jobs run; and is told what became of a task's job. */
  SCHEDULE_SERVICE: Service<Schedule>
  /** The lane of priorities 7 to 9. */
  JOBS_HIGH_QUEUE: Queue<Hint>
  /** The lane of priorities 3 to 6. */
  JOBS_NORMAL_QUEUE: Queue<Hint>
  /** The lane of priorities 0 to 2. */
  JOBS_LOW_QUEUE: Queue<Hint>
  /** One object, whose alarm is the next time at which some job is due. */
  Wakers: DurableObjectNamespace<Waker>
  /** How long the consumer of a lane waits for the jobs it began before it takes further hints. */
  LANE_HOLD_SECONDS: number | string
  /** Payloads and results past 128 KiB. */
  QUEUE_BUCKET: R2Bucket
  /** What the jobs that services enqueue in their own names may do, by service. */
  SERVICE_PERMISSIONS: Record<string, string[]>
  /** Workers AI, which writes texts; without it `generate` is UNAVAILABLE. */
  AI?: Ai
}
