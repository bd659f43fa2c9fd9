import type { Auth } from '@dot-do/worker-contracts/auth'
import type { Service } from '@dot-do/worker-contracts/contract'
import type { Db } from '@dot-do/worker-contracts/db'
import type { Dispatcher } from '@dot-do/worker-contracts/dispatcher'
import type { BaseEnv } from '@dot-do/worker-types'

export interface Env extends BaseEnv {
  /** The tables of the schema `deploy`, by SQL under the role `deploy`. */
  DB_SERVICE: Service<Db>
  /** The audit log, and whose a key is at the platform's own door. */
  AUTH_SERVICE: Service<Auth>
  /** The pointers of what is live, custom domains, and previews to try. */
  DISPATCHER_SERVICE: Service<Dispatcher>
  /** What each version is made of, by its hash. */
  DEPLOY_BUCKET: R2Bucket
  /** Where scripts are uploaded: Cloudflare's API. */
  CLOUDFLARE_API_BASE_URL: string
  /** The account whose dispatch namespaces they lie in. */
  CLOUDFLARE_ACCOUNT_ID: string
  /** May edit the account's Workers; without it nothing can be published. */
  CLOUDFLARE_API_TOKEN?: string
  /** Published workers' secrets are stored under keys derived from it; without it none can be set. */
  DEPLOY_SECRET_KEY?: string
  /** What follows a production host name here: `.localhost:8787`; empty in production. */
  HOST_SUFFIX: string
}
