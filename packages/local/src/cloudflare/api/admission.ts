import { createHash, timingSafeEqual } from 'node:crypto'
import { CloudflareError } from '../errors.ts'
import type { CallLimit } from './context.ts'

/** What the hosted API grants a token: https://developers.cloudflare.com/fundamentals/api/reference/limits/ */
export const HOSTED_CALL_LIMIT: CallLimit = { calls: 1200, windowMs: 300_000 }

/** The token of `Authorization: Bearer …`, or Cloudflare's refusals for none and for what is no such header. */
export function bearerOf(request: Request): string {
  const header = request.headers.get('authorization')
  if (header === null) throw new CloudflareError(400, 9106, 'Missing X-Auth-Key, X-Auth-Email or Authorization headers')
  const [, token] = /^Bearer ([\x21-\x7e]+)$/i.exec(header) ?? []
  if (token === undefined) throw new CloudflareError(400, 6003, 'Invalid request headers: invalid format for Authorization header')
  return token
}

/** Lets in who has the token; how long it takes says nothing about the token. */
export function admit(request: Request, apiToken: string): void {
  if (!timingSafeEqual(digest(bearerOf(request)), digest(apiToken))) throw new CloudflareError(403, 10_000, 'Authentication error')
}

/** Counts the calls of the one token, and tells how many seconds to wait once there were too many, else 0. */
export function callCounter({ calls, windowMs }: CallLimit, now: () => number): () => number {
  let startedAt = now()
  let count = 0
  return () => {
    const at = now()
    if (at - startedAt >= windowMs) {
      startedAt = at
      count = 0
    }
    count++
    return count > calls ? Math.ceil((startedAt + windowMs - at) / 1000) : 0
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
