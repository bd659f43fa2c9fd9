import { DatabaseError } from '@dot-do/worker-data/engines/engine'
import type { BatchOptions, Statement } from '@dot-do/worker-data/engines/engine'
import type { IncomingHttpHeaders } from 'node:http'

/** One `POST /sql` of the Neon driver, understood. `isBatch` decides the shape of the answer. */
export interface SqlRequest {
  role: string
  password: string
  isBatch: boolean
  statements: Statement[]
  options: BatchOptions
}

const isolations = ['ReadCommitted', 'RepeatableRead', 'Serializable'] as const

/** Reads headers and body as `neon()` of @neondatabase/serverless 1.2 writes them. Throws a DatabaseError that says what is wrong. */
export function readSqlRequest(headers: IncomingHttpHeaders, body: string): SqlRequest {
  if (headers['neon-array-mode'] !== 'true' || headers['neon-raw-text-output'] !== 'true') {
    throw malformed('Neon-Array-Mode and Neon-Raw-Text-Output must be "true"; values are only sent as text')
  }
  const { role, password } = readCredential(headers['neon-connection-string'])
  const parsed = parse(body)
  const queries = parsed['queries']
  if (queries === undefined) return { role, password, isBatch: false, statements: [readStatement(parsed, 'body')], options: {} }
  if (!Array.isArray(queries)) throw malformed('"queries" must be an array')
  return { role, password, isBatch: true, statements: queries.map((query, index) => readStatement(query, `queries[${index}]`)), options: readOptions(headers) }
}

/** A request that does not follow the protocol. */
export function malformed(message: string): DatabaseError {
  return new DatabaseError(message, { code: '08P01', severity: 'ERROR' })
}

function readCredential(header: string | string[] | undefined): { role: string; password: string } {
  if (typeof header !== 'string') throw malformed('Neon-Connection-String is missing')
  try {
    const { protocol, username, password } = new URL(header)
    if ((protocol === 'postgresql:' || protocol === 'postgres:') && username !== '')
      return { role: decodeURIComponent(username), password: decodeURIComponent(password) }
  } catch {
    // Said below, without the text: it holds a password.
  }
  throw malformed('Neon-Connection-String is not postgresql://user:password@host/database')
}

function parse(body: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    throw malformed('The body is not JSON')
  }
  if (!isRecord(value)) throw malformed('The body must be an object')
  return value
}

function readStatement(value: unknown, path: string): Statement {
  if (!isRecord(value)) throw malformed(`${path} must be an object`)
  const { query, params = [] } = value
  if (typeof query !== 'string') throw malformed(`${path}.query must be a string`)
  if (!Array.isArray(params)) throw malformed(`${path}.params must be an array`)
  return { sql: query, params }
}

function readOptions(headers: IncomingHttpHeaders): BatchOptions {
  const isolation = headers['neon-batch-isolation-level']
  const level = isolations.find((name) => name === isolation)
  // PostgreSQL runs ReadUncommitted as ReadCommitted.
  if (isolation !== undefined && level === undefined && isolation !== 'ReadUncommitted')
    throw malformed(`Neon-Batch-Isolation-Level must be one of ${isolations.join(', ')}`)
  return {
    ...(level && { isolation: level }),
    ...(headers['neon-batch-read-only'] === 'true' && { readOnly: true }),
    ...(headers['neon-batch-deferrable'] === 'true' && { deferrable: true }),
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)
