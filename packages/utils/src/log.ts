/** How much a line matters, least first. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** Writes one line. It never throws, whatever the fields are. */
export type Log = (level: LogLevel, event: string, fields?: Record<string, unknown>) => void

const SEVERITY: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 }
const SECRET_KEY = /secret|password|token|authorization|cookie|api[-_]?key$/i
const SECRET_VALUE = /sk_(?:live|test)_/
const REDACTED = '[redacted]'
const MAX_DEPTH = 8

/** A log that writes lines from `least` upwards; an unknown level, such as a mistyped `LOG_LEVEL`, counts as `info`. */
export function createLog(least = 'info'): Log {
  const threshold = isLevel(least) ? SEVERITY[least] : SEVERITY.info
  return (level, event, fields = {}) => {
    if (SEVERITY[level] < threshold) return
    const line = logLine(level, event, fields)
    if (level === 'warn' || level === 'error') console.error(line)
    else console.log(line)
  }
}

/** Writes one JSON object on one line, from `info` upwards; `warn` and `error` go to standard error. Secrets are replaced by `[redacted]`. */
export const log: Log = createLog()

/** Writes lines that `logLine` made, as one. */
export function writeLines(lines: readonly string[]): void {
  console.log(lines.join('\n'))
}

/** A copy of a value that may be logged: secrets replaced, errors opened with their causes, what JSON cannot say turned into text. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return SECRET_VALUE.test(value) ? REDACTED : value
  if (typeof value === 'bigint' || typeof value === 'symbol') return String(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth >= MAX_DEPTH) return '[deeper]'
  if (value instanceof Date) return value
  if (Array.isArray(value)) return value.map((element) => redact(element, depth + 1))
  const members = value instanceof Error ? errorMembers(value) : Object.entries(value)
  return Object.fromEntries(members.map(([key, member]) => [key, SECRET_KEY.test(key) ? REDACTED : redact(member, depth + 1)]))
}

/** A line as `log` writes it, for whoever writes several at once. Secrets are replaced; it never throws. */
export function logLine(level: LogLevel, event: string, fields: Record<string, unknown>): string {
  const head = { level, event }
  try {
    return JSON.stringify(Object.assign({ time: new Date().toISOString(), ...head }, redact(fields), head))
  } catch {
    return JSON.stringify({ ...head, unloggable: true })
  }
}

function errorMembers(error: Error): [string, unknown][] {
  const { name, message, stack, cause } = error
  return [
    ['name', name],
    ['message', message],
    ...Object.entries(error),
    ['stack', stack],
    ...(cause === undefined ? [] : [['cause', cause] as [string, unknown]]),
  ]
}

function isLevel(text: string): text is LogLevel {
  return Object.hasOwn(SEVERITY, text)
}
