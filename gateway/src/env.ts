import type { Auth } from '@dot-do/worker-contracts/auth'
import type { Service } from '@dot-do/worker-contracts/contract'
import type { Db } from '@dot-do/worker-contracts/db'
import type { Deploy } from '@dot-do/worker-contracts/deploy'
import type { Dispatcher } from '@dot-do/worker-contracts/dispatcher'
import type { Mcp } from '@dot-do/worker-contracts/mcp'
import type { Queue } from '@dot-do/worker-contracts/queue'
import type { Schedule } from '@dot-do/worker-contracts/schedule'
import type { BaseEnv } from '@dot-do/worker-types'
import type { RateCounter } from './rate-counter.ts'

export interface Env extends BaseEnv {
  /** Tells whose a credential is; routed to as /auth. */
  AUTH_SERVICE: Service<Auth>
  /** Routed to as /db; where requests are tracked; and the tables of the schema `gateway`, by SQL under the role `gateway`. */
  DB_SERVICE: Service<Db>
  /** Routed to as /mcp and /<service>/mcp. */
  MCP_SERVICE: Service<Mcp>
  /** Routed to as /deploy. */
  DEPLOY_SERVICE: Service<Deploy>
  /** Routed to as /dispatcher, and by every host that is not the platform's own. */
  DISPATCHER_SERVICE: Service<Dispatcher>
  /** Routed to as /queue. */
  QUEUE_SERVICE: Service<Queue>
  /** Routed to as /schedule. */
  SCHEDULE_SERVICE: Service<Schedule>
  /** One object per principal, and a fixed number for strangers: who asked how often in the last minute. */
  RateCounters: DurableObjectNamespace<RateCounter>
  /** What follows a production host name here: `.localhost:8787`; empty in production. */
  HOST_SUFFIX: string
  /** How long a service's answer is waited for, in milliseconds, where services.ts does not say otherwise. */
  TIMEOUT_MS: string
  /** How long, in milliseconds, a request's log line may wait for others to be written with; 0: each by itself, as Workers Logs wants them. */
  LOG_WAIT_MS: string
  /** Calls a minute of whoever has no limit of its own, in the class `default`; the other classes keep their proportion to it. */
  LIMIT_PER_MINUTE: string
  /** Limits up to this are exact, each call counted by a call to the counter; of larger ones isolates hold a hundredth for a second. */
  EXACT_LIMIT: string
  /** Origins whose pages may read answers, separated by commas. Published workers live under `do` too, so `https://*.do` would let strangers' pages in. */
  CORS_ORIGINS: string
}
