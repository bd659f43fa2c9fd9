import type { Auth } from '@dot-do/worker-contracts/auth'
import type { Service } from '@dot-do/worker-contracts/contract'
import type { Db } from '@dot-do/worker-contracts/db'
import type { BaseEnv } from '@dot-do/worker-types'

export interface Env extends BaseEnv {
  /** Whose tools begin with `auth_`. */
  AUTH_SERVICE: Service<Auth>
  /** Whose tools begin with `db_`. */
  DB_SERVICE: Service<Db>
}
