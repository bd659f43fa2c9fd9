import { generateId } from '@dot-do/worker-utils'
import { createMiddleware } from 'hono/factory'
import { setHeaders } from './answer-headers.ts'

/** What `requestId` puts into the context. */
export interface RequestIdVariables {
  requestId: string
}

const SANE = /^[A-Za-z0-9._-]{1,128}$/

/** The id a request came with in `X-Request-ID`, if it is short and plain enough to be logged and echoed; a new one otherwise. */
export function requestIdOf(headers: Headers): string {
  const given = headers.get('X-Request-ID')
  return given !== null && SANE.test(given) ? given : generateId('req')
}

/** Gives every request an id, as `c.var.requestId` and as `X-Request-ID` on the answer. */
export function requestId() {
  return createMiddleware<{ Variables: RequestIdVariables }>(async (c, next) => {
    const id = requestIdOf(c.req.raw.headers)
    c.set('requestId', id)
    await next()
    setHeaders(c, [['X-Request-ID', id]])
  })
}
