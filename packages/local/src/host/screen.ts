import { styleText } from 'node:util'
import type { PlatformEvent, PlatformListener } from './events.ts'

type Format = Parameters<typeof styleText>[0]

/** Fields of a log line that stand elsewhere on the screen, or nowhere. */
const PLACED = new Set(['time', 'level', 'event', 'method', 'path', 'status', 'durationMs', 'stack', 'error', 'cause'])

const LEVEL_FORMAT: Record<string, Format> = { debug: 'gray', warn: 'yellow', error: 'red' }

/** Events as lines for people, in colour. */
export function terminalScreen(write: (line: string) => void): PlatformListener {
  return (event) => {
    if (event.type === 'step') return write(`  ${styleText('green', '✓')} ${event.name.padEnd(12)} ${styleText('gray', `${Math.round(event.elapsedMs)} ms`)}`)
    if (event.type === 'log') return write(readableLog(event))
    const [format, text] = noticeOf(event)
    write(styleText(format, text))
  }
}

/** Events as one JSON object a line, which is what Workers write anyway; what the host itself says as plain words. */
export function plainScreen(write: (line: string) => void): PlatformListener {
  return (event) => {
    if (event.type === 'step') return write(`${event.name} ${Math.round(event.elapsedMs)} ms`)
    if (event.type === 'log')
      return write(fieldsOf(event.message) ? event.message : JSON.stringify({ level: event.level, event: 'console', message: event.message }))
    const [, message] = noticeOf(event)
    if (event.type === 'notice') return write(message)
    write(JSON.stringify({ level: event.type === 'reloaded' ? 'info' : 'warn', event: `host.${event.type}`, message }))
  }
}

function noticeOf(event: Exclude<PlatformEvent, { type: 'step' | 'log' }>): [Format, string] {
  if (event.type === 'reloaded') return ['cyan', `reloaded ${event.services.join(', ')} in ${Math.round(event.elapsedMs)} ms`]
  if (event.type === 'restarted') return ['yellow', "The Workers' runtime had died and runs again"]
  if (event.type === 'refused') return ['red', `${event.message}\nWhat ran before still runs.`]
  return ['yellow', event.message]
}

function readableLog({ level, message }: { level: string; message: string }): string {
  const fields = fieldsOf(message)
  if (!fields) return styleText(LEVEL_FORMAT[level] ?? 'reset', message)
  const { time, method, path, status, durationMs } = fields
  const clock = styleText('gray', (typeof time === 'string' ? new Date(time) : new Date()).toTimeString().slice(0, 8))
  const request = typeof method === 'string' ? [method, path, statusText(status), durationMs === undefined ? '' : `${durationMs} ms`] : [fields['event']]
  const rest = Object.entries(fields).filter(([key, value]) => !PLACED.has(key) && value !== undefined && value !== null)
  const shown = rest.map(([key, value]) => styleText('gray', ` ${key}=${textOf(value)}`)).join('')
  const trouble = [fields['error'], fields['cause'], fields['stack']].filter((value) => value !== undefined).map((value) => `\n  ${textOf(value)}`)
  const head = request.filter((part) => part !== '' && part !== undefined).join(' ')
  return `${clock} ${styleText(LEVEL_FORMAT[String(fields['level'])] ?? 'reset', head)}${shown}${trouble.join('')}`
}

function statusText(status: unknown): string {
  if (typeof status !== 'number') return ''
  return styleText(status >= 500 ? 'red' : status >= 400 ? 'yellow' : 'green', String(status))
}

/** A stack keeps its line breaks. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'object' && value !== null && 'stack' in value && typeof value.stack === 'string') return value.stack
  return JSON.stringify(value)
}

function fieldsOf(message: string): Record<string, unknown> | undefined {
  if (!message.startsWith('{')) return undefined
  try {
    const fields: Record<string, unknown> = JSON.parse(message)
    return typeof fields['event'] === 'string' ? fields : undefined
  } catch {
    return undefined
  }
}
