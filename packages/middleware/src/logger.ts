import { type Log, log } from '@dot-do/worker-utils'
import { createMiddleware } from 'hono/factory'
import type { RequestIdVariables } from './request-id.ts'

/** Where the lines go and what time it is. */
export interface LoggerOptions {
  write?: Log
  /** Milliseconds since any fixed moment. */
  now?: () => number
}

/** What is logged of a request: never its query, headers or body, where secrets travel. */
export function requestFields(request: Request, status: number, durationMs: number): { method: string; path: string; status: number; durationMs: number } {
  return { method: request.method, path: new URL(request.url).pathname, status, durationMs }
}

/** Writes one line for every request when its answer's head is ready: `warn` from status 500 upwards, `info` below. Inside a Worker the clock only moves at I/O. */
export function logger({ write = log, now = Date.now }: LoggerOptions = {}) {
  return createMiddleware<{ Variables: Partial<RequestIdVariables> }>(async (c, next) => {
    const startedAt = now()
    await next()
    const { status } = c.res
    write(status >= 500 ? 'warn' : 'info', 'request', { ...requestFields(c.req.raw, status, now() - startedAt), requestId: c.var.requestId })
  })
}
