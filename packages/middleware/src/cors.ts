import { createMiddleware } from 'hono/factory'
import { type Header, setHeaders } from './answer-headers.ts'

/** Which foreign pages may read answers. */
export interface CorsOptions {
  /**
   * Exact origins (`https://app.example.com`), origins with `*` for one or more labels (`https://*.do`), or `*` for everyone, who then gets answers without
   * credentials only.
   */
  allow: readonly string[]
}

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE'
const REQUEST_HEADERS =
  'Authorization, Content-Type, X-API-Key, X-Request-ID, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, traceparent, MCP-Protocol-Version, Mcp-Session-Id, Mcp-Method, Mcp-Name'
const ANSWER_HEADERS =
  'X-Request-ID, X-Response-Time, Server-Timing, ETag, Location, RateLimit, RateLimit-Policy, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After, WWW-Authenticate, Mcp-Session-Id'
const MAX_AGE_SECONDS = '600'

/** The headers an answer to this origin needs. `*` never meets credentials, and an origin that is not allowed learns nothing. */
export function corsHeaders(origin: string | null, { allow }: CorsOptions): Header[] {
  const vary: Header = ['Vary', 'Origin']
  if (origin === null) return [vary]
  if (isAllowed(origin, allow)) {
    return [['Access-Control-Allow-Origin', origin], ['Access-Control-Allow-Credentials', 'true'], ['Access-Control-Expose-Headers', ANSWER_HEADERS], vary]
  }
  return allow.includes('*') ? [['Access-Control-Allow-Origin', '*'], ['Access-Control-Expose-Headers', ANSWER_HEADERS], vary] : [vary]
}

/** The headers a preflight from this origin is answered with. */
export function preflightHeaders(origin: string | null, options: CorsOptions): Header[] {
  const headers = corsHeaders(origin, options).filter(([name]) => name !== 'Access-Control-Expose-Headers')
  if (headers.length === 1) return headers
  return [...headers, ['Access-Control-Allow-Methods', METHODS], ['Access-Control-Allow-Headers', REQUEST_HEADERS], ['Access-Control-Max-Age', MAX_AGE_SECONDS]]
}

/** Whether a request is a browser asking what it may ask, not the request itself. */
export function isPreflight(request: Request): boolean {
  return request.method === 'OPTIONS' && request.headers.has('Origin') && request.headers.has('Access-Control-Request-Method')
}

/** Lets the pages of allowed origins read answers, and answers their preflights. */
export function cors(options: CorsOptions) {
  return createMiddleware(async (c, next) => {
    const origin = c.req.raw.headers.get('Origin')
    if (isPreflight(c.req.raw)) return new Response(null, { status: 204, headers: preflightHeaders(origin, options).map(([name, value]) => [name, value]) })
    await next()
    setHeaders(c, corsHeaders(origin, options))
  })
}

function isAllowed(origin: string, allow: readonly string[]): boolean {
  return origin !== 'null' && allow.some((pattern) => (pattern.includes('*') ? matchesWildcard(origin, pattern) : pattern === origin))
}

/** `*` stands for labels between the scheme and the rest (`https://*.do`), so neither a port, a path nor a user can hide in it. */
function matchesWildcard(origin: string, pattern: string): boolean {
  const [before, after, ...more] = pattern.split('*')
  if (before === undefined || !after?.startsWith('.') || more.length > 0 || !/^https?:\/\/$/.test(before)) return false
  if (!origin.startsWith(before) || !origin.endsWith(after)) return false
  return /^[a-z0-9-]+(?:\.[a-z0-9-]+)*$/.test(origin.slice(before.length, -after.length))
}
