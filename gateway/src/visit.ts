import { requestIdOf } from '@dot-do/worker-middleware/request-id'
import type { Credential } from '@dot-do/worker-middleware/auth'
import type { LimitDecision } from '@dot-do/worker-middleware/rate-limit'
import type { Principal } from '@dot-do/worker-types'
import { childTraceparent } from '@dot-do/worker-utils'
import { ANONYMOUS } from '@dot-do/worker-kernel/identity'
import { route, type RoutingTable, type Target } from './routing.ts'

/** One request from outside, and what becomes known of it on its way through. */
export interface Visit {
  request: Request
  /** Taken apart when it is asked for, which most calls of operations do not. */
  readonly url: URL
  /** Its path and its query string, with the question mark. */
  path: string
  query: string
  /** The host it was sent to, as it says. */
  host: string
  requestId: string
  traceparent: string
  startedAt: number
  /** Where it came from; empty where nobody in front says. */
  address: string
  principal: Principal
  /** Whether who asks was known from the beginning; then no credential is looked for. */
  isKnown?: boolean
  /** What it proved itself by; absent where it did not. */
  credential?: Credential
  /** Whether it proved itself by a header, which a foreign page cannot send. */
  headerCredential: boolean
  target: Target | undefined
  /** The operation it asks for, once that is looked for; none is for what a service answers by hand. */
  operation?: string | undefined
  decision?: LimitDecision
  /** Origins whose pages may read the answer. */
  readers: readonly string[]
  /** Whether the answer was made with the headers that every answer leaves with. */
  hasParted?: boolean
}

/** An address that says what it means: nothing in it is encoded, and no `..` to be followed. */
const PLAIN = /^https?:\/\/[^/?#@]+(\/[\w/-]*)(\?[^#]*)?$/

/** Begins a visit: where it leads is known, who asks is not. */
export function beginVisit(request: Request, table: RoutingTable): Visit {
  let url: URL | undefined
  const parsed = () => (url ??= new URL(request.url))
  const [path = parsed().pathname, query = ''] = PLAIN.exec(request.url)?.slice(1) ?? [undefined, parsed().search]
  const host = request.headers.get('Host') ?? parsed().host
  return {
    request,
    get url() {
      return parsed()
    },
    path,
    query,
    host,
    target: route(host, path, table),
    requestId: requestIdOf(request.headers),
    traceparent: childTraceparent(request.headers.get('traceparent')),
    startedAt: Date.now(),
    address: request.headers.get('CF-Connecting-IP') ?? '',
    principal: ANONYMOUS,
    headerCredential: false,
    readers: [],
  }
}
