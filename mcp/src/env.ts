import type { Auth } from '@dot-do/worker-contracts/auth'
import type { Service } from '@dot-do/worker-contracts/contract'
import type { Db } from '@dot-do/worker-contracts/db'
import type { Deploy } from '@dot-do/worker-contracts/deploy'
import type { Dispatcher } from '@dot-do/worker-contracts/dispatcher'
import type { Queue } from '@dot-do/worker-contracts/queue'
import type { Schedule } from '@dot-do/worker-contracts/schedule'
import type { BaseEnv } from '@dot-do/worker-types'

export interface Env extends BaseEnv {
  /** Whose tools begin with `auth_`. */
  AUTH_SERVICE: Service<Auth>
  /** Whose tools begin with `db_`; and where calls are tracked. */
  DB_SERVICE: Service<Db>
  /** Whose tools begin with `deploy_`. */
  DEPLOY_SERVICE: Service<Deploy>
  /** Whose tools begin with `dispatcher_`. */
  DISPATCHER_SERVICE: Service<Dispatcher>
  /** Whose tools begin with `queue_`. */
  QUEUE_SERVICE: Service<Queue>
  /** Whose tools begin with `schedule_`. */
  SCHEDULE_SERVICE: Service<Schedule>
}
