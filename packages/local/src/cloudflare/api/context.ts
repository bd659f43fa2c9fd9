import type { Account } from '../store/account.ts'
import type { Store } from '../store/store.ts'
import type { WaitingVersions } from './account-versions.ts'
import type { AssetSessions } from './asset-sessions.ts'
import type { TailSessions } from './tail-sessions.ts'

/** Where logs of scripts come from. */
export interface TailSource {
  /** Calls the listener with every event of a script until the function it answers is called. Events are shaped like those of Cloudflare's tail: `outcome`, `logs`, `exceptions`, `event`, `eventTimestamp`. */
  subscribe(namespace: string, name: string, listener: (event: object) => void): () => void
}

/** How many calls a token may make in a time. */
export interface CallLimit {
  calls: number
  windowMs: number
}

/** What the API answers from, and to whom. */
export interface CloudflareApiOptions {
  store: Store
  /** The one account there is. */
  accountId: string
  /** The one token that is let in. */
  apiToken: string
  /** The namespace whose scripts `/workers/scripts/{name}` means, so that commands without `--dispatch-namespace` (`wrangler secret`, `wrangler tail`) reach published scripts. Without it the account has no Workers of its own. */
  accountNamespace?: string
  /** With it, and with `accountNamespace`, whole Workers are deployed as well: `wrangler deploy` without `--dispatch-namespace`, with queues, KV namespaces, R2 buckets, domains and crons. */
  account?: Account
  /** Without it, asking for logs is refused. */
  tail?: TailSource
  /** Off unless given; `HOSTED_CALL_LIMIT` is Cloudflare's. */
  callLimit?: CallLimit
  /** Told of failures that are nobody's fault but this API's; their callers get 500. */
  onError?: (error: unknown) => void
  /** The clock for expiry and limits, in milliseconds since 1970. */
  now?: () => number
}

/** What every route can reach. */
export interface ApiContext extends CloudflareApiOptions {
  now: () => number
  assetSessions: AssetSessions
  tailSessions: TailSessions
  waitingVersions: WaitingVersions
}

/** One request, once its route is known and its sender let in. */
export interface Call {
  request: Request
  url: URL
  /** The named parts of the path, decoded. */
  params: Record<string, string>
  context: ApiContext
}

/** Answers one kind of request. */
export type Handler = (call: Call) => Response | Promise<Response>

/** Method, path with `:names`, and what answers. */
export type Route = readonly [method: string, path: string, handler: Handler]
