import type { Db } from '@dot-do/worker-contracts/db'
import type { Service } from '@dot-do/worker-contracts/contract'
import type { BaseEnv } from '@dot-do/worker-types'

export interface Env extends BaseEnv {
  /** The tables of the schema `auth`, by SQL under the role `auth`. */
  DB_SERVICE: Service<Db>
  /** Mixed into every key's hash, so that the table alone does not help to guess keys. */
  KEY_PEPPER: string
}
