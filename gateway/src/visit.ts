import { requestIdOf } from '@dot-do/worker-middleware/request-id'
import type { LimitDecision } from '@dot-do/worker-middleware/rate-limit'
import type { Principal } from '@dot-do/worker-types'
import { childTraceparent } from '@dot-do/worker-utils'
import { ANONYMOUS } from '@dot-do/worker-kernel/identity'
import { route, type RoutingTable, type Target } from './routing.ts'

/** One request from outside, and what becomes known of it on its way through. */
export interface Visit {
  request: Request
  url: URL
  requestId: string
  traceparent: string
  startedAt: number
  /** Where it came from; empty where nobody in front says. */
  address: string
  principal: Principal
  /** Whether it proved itself by a header, which a foreign page cannot send. */
  headerCredential: boolean
  target: Target | undefined
  /** The operation it asks for, once that is looked for; none is for what a service answers by hand. */
  operation?: string | undefined
  decision?: LimitDecision
}

/** Begins a visit: where it leads is known, who asks is not. */
export function beginVisit(request: Request, table: RoutingTable): Visit {
  const url = new URL(request.url)
  return {
    request,
    url,
    target: route(request.headers.get('Host') ?? url.host, url.pathname, table),
    requestId: requestIdOf(request.headers),
    traceparent: childTraceparent(request.headers.get('traceparent')),
    startedAt: Date.now(),
    address: request.headers.get('CF-Connecting-IP') ?? '',
    principal: ANONYMOUS,
    headerCredential: false,
  }
}
