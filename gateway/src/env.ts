import type { Auth } from '@dot-do/worker-contracts/auth'
import type { Service } from '@dot-do/worker-contracts/contract'
import type { Db } from '@dot-do/worker-contracts/db'
import type { Deploy } from '@dot-do/worker-contracts/deploy'
import type { Dispatcher } from '@dot-do/worker-contracts/dispatcher'
import type { Mcp } from '@dot-do/worker-contracts/mcp'
import type { BaseEnv } from '@dot-do/worker-types'
import type { RateCounter } from './rate-counter.ts'

export interface Env extends BaseEnv {
  /** Tells whose a credential is; routed to as /auth. */
  AUTH_SERVICE: Service<Auth>
  /** Routed to as /db; and where requests are tracked. */
  DB_SERVICE: Service<Db>
  /** Routed to as /mcp and /<service>/mcp. */
  MCP_SERVICE: Service<Mcp>
  /** Routed to as /deploy. */
  DEPLOY_SERVICE: Service<Deploy>
  /** Routed to as /dispatcher, and by every host that is not the platform's own. */
  DISPATCHER_SERVICE: Service<Dispatcher>
  /** One object per principal, and a fixed number for strangers: who asked how often in the last minute. */
  RateCounters: DurableObjectNamespace<RateCounter>
  /** What follows a production host name here: `.localhost:8787`; empty in production. */
  HOST_SUFFIX: string
  /** How long, in milliseconds, a request's log line may wait for others to be written with; 0: each by itself, as Workers Logs wants them. */
  LOG_WAIT_MS: string
  /** Origins whose pages may read answers, separated by commas; see the CORS middleware for wildcards. */
  CORS_ORIGINS: string
}
