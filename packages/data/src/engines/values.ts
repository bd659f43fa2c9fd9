import { DatabaseError } from './engine.ts'
import type { Result } from './engine.ts'

/** The largest answer to one batch, in bytes of JSON. An RPC result in workerd may be no larger. */
export const maxAnswerBytes = 32 * 1024 * 1024

/** Writes a value as PostgreSQL's text format has it: arrays as `{…}`, objects as JSON, bytes as `\x…`, as node-postgres and the Neon driver do. */
export function encodeValue(value: unknown): string | null {
  if (value === null || value === undefined) return null
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return encodeArray(value)
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`
  if (value instanceof Date) return value.toISOString()
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

function encodeArray(values: readonly unknown[]): string {
  const parts = values.map((value) => {
    if (Array.isArray(value)) return encodeArray(value)
    const text = encodeValue(value)
    return text === null ? 'NULL' : `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
  })
  return `{${parts.join(',')}}`
}

/** Refuses an answer over the limit. Called before the commit, so that a batch whose answer cannot be delivered has not happened. */
export function demandDeliverable(results: readonly Result[]): void {
  let characters = 0
  for (const { rows } of results) for (const row of rows) for (const value of row) characters += 4 + (value?.length ?? 0)
  // A character is at most six bytes of JSON; the exact size is only worth its price near the limit.
  if (characters * 6 <= maxAnswerBytes) return
  if (characters > maxAnswerBytes || Buffer.byteLength(JSON.stringify(results)) > maxAnswerBytes) {
    throw tooLarge()
  }
}

/** Says that an answer cannot be delivered, and what to do. */
export function tooLarge(): DatabaseError {
  return new DatabaseError(`The answer is larger than ${maxAnswerBytes} bytes; read it in pages`, { code: '54000', severity: 'ERROR' })
}

/** Quotes a name for use in SQL text. */
export const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** Quotes a string for use in SQL text, whatever `standard_conforming_strings` says. */
export const quoteText = (text: string): string => (text.includes('\\') ? ' E' : '') + `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`

/** The BEGIN that options ask for. */
export function beginStatement(options: { readOnly?: boolean; isolation?: string; deferrable?: boolean }): string {
  const levels: Record<string, string> = { ReadCommitted: 'read committed', RepeatableRead: 'repeatable read', Serializable: 'serializable' }
  const level = options.isolation === undefined ? undefined : levels[options.isolation]
  const modes = [level && `isolation level ${level}`, options.readOnly && 'read only', options.deferrable && 'deferrable'].filter(Boolean)
  return `begin ${modes.join(', ')}`.trim()
}
