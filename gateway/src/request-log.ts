import { createLog, logLine, writeLines } from '@dot-do/worker-utils'
import type { Env } from './env.ts'

/** So many lines are written without waiting for more. */
const MAX_LINES = 256

/** Lines of this isolate that are yet to be written: at most MAX_LINES, and for at most LOG_WAIT_MS. */
let waiting: string[] = []

/** When the write that was begun last is due, in milliseconds since 1970. It may never come, if the request that began it is cut off; then the next one begins another. */
let dueAt = 0

/** Logs a finished request. A busy gateway writes many lines at once, since each write costs about as much as a call to a service. */
export function logRequest(fields: { status: number } & Record<string, unknown>, { env, ctx }: { env: Env; ctx: ExecutionContext }): void {
  const waitMs = Number(env.LOG_WAIT_MS)
  const level = fields.status >= 500 ? 'error' : 'info'
  if (!(waitMs > 0) || level === 'error' || (env.LOG_LEVEL ?? 'info') !== 'info') return createLog(env.LOG_LEVEL)(level, 'request', fields)
  waiting.push(logLine(level, 'request', fields))
  if (waiting.length >= MAX_LINES) return writeWaiting()
  const now = Date.now()
  if (now < dueAt) return
  dueAt = now + waitMs
  ctx.waitUntil(scheduler.wait(waitMs).then(writeWaiting))
}

function writeWaiting(): void {
  const lines = waiting
  waiting = []
  dueAt = 0
  if (lines.length > 0) writeLines(lines)
}
