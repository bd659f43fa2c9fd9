import * as z from 'zod'

/** One line of a published worker's log. */
export interface LogLine {
  at: string
  /** `debug`, `info`, `log`, `warn` or `error`, as the worker's console says. */
  level: string
  message: string
  version: number
  /** Of the request it belongs to, where that has one. */
  requestId?: string
  /** How the invocation ended: `ok`, `exception`, `exceededCpu` … */
  outcome: string
}

/** What is read of a trace event; whatever else it holds is of no account. (developers.cloudflare.com/workers/observability/logs/tail-workers) */
const TraceEvent = z.object({
  eventTimestamp: z.number().nullish(),
  outcome: z.string().catch('unknown'),
  logs: z.array(z.object({ message: z.unknown(), level: z.string(), timestamp: z.number() })).catch([]),
  exceptions: z.array(z.object({ name: z.string(), message: z.unknown(), timestamp: z.number() })).catch([]),
  event: z
    .object({
      request: z.object({ method: z.string(), url: z.string(), headers: z.record(z.string(), z.string()).catch({}) }).optional(),
      response: z.object({ status: z.number() }).optional(),
    })
    .nullish()
    .catch(undefined),
})

type Trace = z.output<typeof TraceEvent>

/** A line's text is cut off here. */
const MAX_LENGTH = 16_384

/** The lines that one trace event makes: what the worker wrote, what it threw, and the request that all of it belongs to. None for what is no trace event. */
export function linesOf(message: string, version: number): LogLine[] {
  const parsed = TraceEvent.safeParse(jsonOf(message))
  if (!parsed.success) return []
  const { outcome, logs, exceptions, event, eventTimestamp } = parsed.data
  const requestId = Object.entries(event?.request?.headers ?? {}).find(([name]) => name.toLowerCase() === 'x-request-id')?.[1]
  const line = (timestamp: number, level: string, text: string): LogLine => ({
    at: new Date(timestamp).toISOString(),
    level,
    message: text.slice(0, MAX_LENGTH),
    version,
    ...(requestId !== undefined && { requestId }),
    outcome,
  })
  const last = Math.max(eventTimestamp ?? 0, ...logs.map(({ timestamp }) => timestamp), ...exceptions.map(({ timestamp }) => timestamp))
  return [
    ...logs.map((log) => line(log.timestamp, log.level, textOf(log.message))),
    ...exceptions.map((exception) => line(exception.timestamp, 'error', `${exception.name}: ${textOf(exception.message)}`)),
    line(last, outcome === 'ok' ? 'info' : 'error', summaryOf(parsed.data)),
  ]
}

/** What a console wrote, as it would on a terminal: texts as they are, anything else as JSON. */
function textOf(message: unknown): string {
  const parts: unknown[] = Array.isArray(message) ? message : [message]
  return parts.map((part) => (typeof part === 'string' ? part : (JSON.stringify(part) ?? String(part)))).join(' ')
}

function summaryOf({ event, outcome }: Trace): string {
  const { request, response } = event ?? {}
  if (!request) return outcome
  const path = URL.parse(request.url)?.pathname ?? request.url
  return `${request.method} ${path} ${response?.status ?? outcome}`
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
