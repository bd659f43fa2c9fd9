import type { Service } from '@dot-do/worker-contracts/contract'
import type { Db } from '@dot-do/worker-contracts/db'
import type { BaseEnv } from '@dot-do/worker-types'
import type { OutboundParameters } from './outbound.ts'
import type { Pointer } from './pointer.ts'

export interface Env extends BaseEnv {
  /** The tables of the schema `dispatcher`, by SQL under the role `dispatcher`; and things, in the name of published workers. */
  DB_SERVICE: Service<Db>
  /** One object per published worker, `<tenant>/<worker>`: what is live of it. */
  Pointers: DurableObjectNamespace<Pointer>
  /** Scripts of workers published to production. */
  PRODUCTION: DispatchNamespace
  /** Scripts of workers published to staging. */
  STAGING: DispatchNamespace
  /** Scripts of workers published to development. */
  DEVELOPMENT: DispatchNamespace
  /** Scripts of workers that are for administrators only. */
  INTERNAL: DispatchNamespace
  /** Scripts of workers published to the tier `public`. */
  PUBLIC: DispatchNamespace
  /** Scripts of workers published to the tier `tenant`. */
  TENANT: DispatchNamespace
  /** Values of the tenants' `kv` bindings, each tenant under its own prefix. */
  DISPATCHER_KV: KVNamespace
  /** Objects of the tenants' `bucket` bindings, each tenant under its own prefix. */
  DISPATCHER_BUCKET: R2Bucket
  /** What follows a production host name here: `.localhost:8787`; empty in production. */
  HOST_SUFFIX: string
  /** DNS over HTTPS with JSON answers, where the records are looked for that prove whose a domain is. */
  DNS_URL: string
  /** Present only where this Worker stands between published code and the outside: whose call it is, and where it may go. */
  outbound?: OutboundParameters
}
