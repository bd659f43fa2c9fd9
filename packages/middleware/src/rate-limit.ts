import { ServiceError } from '@dot-do/worker-utils'
import type { Context } from 'hono'
import { createMiddleware } from 'hono/factory'
import { setHeaders } from './answer-headers.ts'
import { errorAnswer } from './error-handler.ts'

/** What a counter says of one call. `remaining` may be a lower bound. */
export interface LimitDecision {
  /** The policy's name, plain ASCII without quotes. */
  name: string
  limit: number
  windowSeconds: number
  remaining: number
  /** Until the limit is whole again or, on a refusal, until the call may be tried again. */
  resetSeconds: number
  allowed: boolean
}

/** Who counts, whom, and at what price. */
export interface RateLimitOptions {
  take: (key: string, cost: number) => Promise<LimitDecision>
  /** Whose counter a request is held against. */
  key: (c: Context) => string
  /** 1 unless told. */
  cost?: (c: Context) => number
}

/** The headers of draft-ietf-httpapi-ratelimit-headers-11, the older `X-RateLimit-*` (whose Reset is in seconds from now), and on a refusal `Retry-After`. */
export function rateLimitHeaders({ name, limit, windowSeconds, remaining, resetSeconds, allowed }: LimitDecision): [string, string][] {
  const left = Math.max(0, Math.floor(remaining))
  const reset = Math.max(0, Math.ceil(resetSeconds))
  const headers: [string, string][] = [
    ['RateLimit-Policy', `"${name}";q=${limit};w=${windowSeconds}`],
    ['RateLimit', `"${name}";r=${left};t=${reset}`],
    ['X-RateLimit-Limit', String(limit)],
    ['X-RateLimit-Remaining', String(left)],
    ['X-RateLimit-Reset', String(reset)],
  ]
  return allowed ? headers : [...headers, ['Retry-After', String(Math.max(1, reset))]]
}

/** Asks the counter before anything else happens; past the limit the answer is 429 and the request goes no further. Every answer says what is left. */
export function rateLimit({ take, key, cost = () => 1 }: RateLimitOptions) {
  return createMiddleware(async (c, next) => {
    const decision = await take(key(c), cost(c))
    if (decision.allowed) await next()
    else c.res = errorAnswer(new ServiceError('RATE_LIMITED', `More than ${decision.limit} calls in ${decision.windowSeconds} s`), c.get('requestId'))
    setHeaders(c, rateLimitHeaders(decision))
  })
}
