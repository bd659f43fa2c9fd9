import type { BaseEnv } from '@dot-do/worker-types'

export interface Env extends BaseEnv {
  /** Where PostgreSQL is and which database, `postgres://host/name`, without user or password: those come from the caller's role. */
  DATABASE_URL: string
  /** What the passwords of the services' roles are derived from. */
  DB_ROLE_SECRET: string
  /** The database's HTTP endpoint as a binding, where it is not to be found by the URL's host. */
  DATABASE?: Fetcher
}
