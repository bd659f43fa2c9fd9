import { createLog, logLine, writeLines } from '@dot-do/worker-utils'
import type { Env } from './env.ts'

/** So many lines are written without waiting for more. */
const MAX_LINES = 256

/** What is told of a finished request: never its query, headers or body, where secrets travel. */
export interface RequestFields {
  method: string
  host: string
  path: string
  status: number
  durationMs: number
  service: string | null
  principal: string
  requestId: string
  traceparent: string
}

/** Lines of this isolate that are yet to be written: at most MAX_LINES, and for at most LOG_WAIT_MS. */
let waiting: string[] = []

/** When the write that was begun last is due, in milliseconds since 1970. It may never come, if the request that began it is cut off; then the next one begins another. */
let dueAt = 0

/** The beginning of a line, and the second it is of: a date is written once a millisecond at most. */
let head = { at: 0, text: '' }

/** Logs a finished request. A busy gateway writes many lines at once, since each write costs about as much as a call to a service. */
export function logRequest(fields: RequestFields, { env, ctx }: { env: Env; ctx: ExecutionContext }): void {
  const waitMs = Number(env.LOG_WAIT_MS)
  const level = fields.status >= 500 ? 'error' : 'info'
  if (!(waitMs > 0) || level === 'error' || (env.LOG_LEVEL ?? 'info') !== 'info') return createLog(env.LOG_LEVEL)(level, 'request', { ...fields })
  const now = Date.now()
  waiting.push(requestLine(fields, now))
  if (waiting.length >= MAX_LINES) return writeWaiting()
  if (now < dueAt) return
  dueAt = now + waitMs
  ctx.waitUntil(scheduler.wait(waitMs).then(writeWaiting))
}

/** What a visitor chose may hold a secret or break a line; such a line is written with care. What it did not choose, and what is plain, is put together as it is. */
const PLAIN = /^[\w./:[\]-]*$/

/** The line that `logLine` writes, at a tenth of its cost. */
export function requestLine(fields: RequestFields, now: number): string {
  const { method, host, path, status, durationMs, service, principal, requestId, traceparent } = fields
  const chosen = `${method}${host}${path}${requestId}`
  if (!PLAIN.test(chosen) || chosen.includes('sk_')) return logLine('info', 'request', { ...fields })
  if (head.at !== now) head = { at: now, text: `{"time":"${new Date(now).toISOString()}","level":"info","event":"request"` }
  const where = `"method":"${method}","host":"${host}","path":"${path}","status":${status},"durationMs":${durationMs}`
  const who = `"service":${service === null ? 'null' : `"${service}"`},"principal":"${principal}","requestId":"${requestId}","traceparent":"${traceparent}"`
  return `${head.text},${where},${who}}`
}

function writeWaiting(): void {
  const lines = waiting
  waiting = []
  dueAt = 0
  if (lines.length > 0) writeLines(lines)
}
