import type { BaseEnv } from '@dot-do/worker-types'
import type { ChangeWatch } from './change-watch.ts'
import type { Connections } from './connections.ts'
import type { EventSpool } from './event-spool.ts'

export interface Env extends BaseEnv {
  /** Where PostgreSQL is and which database, `postgres://host/name`, without user or password: those come from the caller's role. */
  DATABASE_URL: string
  /** What the passwords of the services' roles are derived from. */
  DB_ROLE_SECRET: string
  /** The database's HTTP endpoint as a binding, where it is not to be found by the URL's host. */
  DATABASE?: Fetcher
  /** How PostgreSQL is reached: `http`, one request for each batch; `websocket` or `tcp`, connections that are held. */
  DATABASE_TRANSPORT: string
  /** Held connections, by role. */
  Connections: DurableObjectNamespace<Connections>
  /** Who waits for changes. */
  ChangeWatches: DurableObjectNamespace<ChangeWatch>
  /** Events until ClickHouse has them. */
  EventSpools: DurableObjectNamespace<EventSpool>
  /** Where ClickHouse answers over HTTP; without it events wait. */
  CLICKHOUSE_URL?: string
  /** Who db is there. */
  CLICKHOUSE_USER?: string
  /** By what it proves that. */
  CLICKHOUSE_PASSWORD?: string
  /** ClickHouse's HTTP endpoint as a binding, where it is not to be found by the URL's host. */
  CLICKHOUSE?: Fetcher
  /** Copies of the database, under `backups/`. */
  DB_BUCKET: R2Bucket
  /** Workers AI, which makes embeddings; without it they are made of words and parts of words. */
  AI?: Ai
}
