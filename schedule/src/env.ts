import type { Auth } from '@dot-do/worker-contracts/auth'
import type { Service } from '@dot-do/worker-contracts/contract'
import type { Db } from '@dot-do/worker-contracts/db'
import type { Deploy } from '@dot-do/worker-contracts/deploy'
import type { Dispatcher } from '@dot-do/worker-contracts/dispatcher'
import type { BaseEnv } from '@dot-do/worker-types'
import type { TaskClock } from './task-clock.ts'

export interface Env extends BaseEnv {
  /** The tables of the schema `schedule`, by SQL under the role `schedule`; and what `db.*` operations run. */
  DB_SERVICE: Service<Db>
  /** Whose authority a task has when it runs; and what `auth.*` operations run. */
  AUTH_SERVICE: Service<Auth>
  /** What `deploy.*` operations run. */
  DEPLOY_SERVICE: Service<Deploy>
  /** What `dispatcher.*` operations run. */
  DISPATCHER_SERVICE: Service<Dispatcher>
  /** The clock of each task, by its id. */
  TaskClocks: DurableObjectNamespace<TaskClock>
  /** Wakes the queue for jobs that were put into it by SQL. */
  JOBS_NORMAL_QUEUE: Queue<{ jobs: string[] }>
  /** Where the platform's gateway answers, without a path; asked how every service is. */
  PLATFORM_URL: string
}
