/** One SQL statement with the values of its $1, $2, …, as the Neon driver sends them. */
export interface Statement {
  sql: string
  params: readonly unknown[]
}

/** The answer to one statement; values are PostgreSQL's own text, so nothing is lost on the way to the driver that parses them. */
export interface Result {
  command: string
  rowCount: number
  fields: { name: string; dataTypeID: number }[]
  rows: (string | null)[][]
}

/** How a batch runs. `timeoutMs` is kept by a server only: the embedded engine cannot interrupt a query and leaves that to its watchdog. */
export interface BatchOptions {
  readOnly?: boolean
  isolation?: 'ReadCommitted' | 'RepeatableRead' | 'Serializable'
  deferrable?: boolean
  timeoutMs?: number
}

/** A PostgreSQL that runs batches under a role. Every failure is a DatabaseError. */
export interface Engine {
  /** Runs statements in order as one transaction, all or nothing. A null role is the owner; any other may only read and write rows (see guard.ts). */
  batch(role: string | null, statements: readonly Statement[], options?: BatchOptions): Promise<Result[]>
  /** Runs several statements in one text as the owner, in one transaction. */
  script(sql: string): Promise<void>
  close(): Promise<void>
}

/** The fields of a PostgreSQL error that travel to a client, in the order of the Neon protocol. */
export const errorFields = [
  'severity',
  'code',
  'detail',
  'hint',
  'position',
  'internalPosition',
  'internalQuery',
  'where',
  'schema',
  'table',
  'column',
  'dataType',
  'constraint',
  'file',
  'line',
  'routine',
] as const

/** PostgreSQL's error fields, present where the server set them. */
export type ErrorFields = { [Field in (typeof errorFields)[number]]?: string }

/** What a database refused, or why it could not be asked; `code` is a SQLSTATE. */
export class DatabaseError extends Error {
  readonly code: string
  readonly fields: ErrorFields

  constructor(message: string, fields: ErrorFields & { code: string }, options?: ErrorOptions) {
    super(message, options)
    this.name = 'DatabaseError'
    this.code = fields.code
    this.fields = fields
  }
}

/** Makes a DatabaseError of a driver's error that carries the protocol's fields; without a SQLSTATE it is a lost connection, 08006. */
export function toDatabaseError(cause: unknown): DatabaseError {
  if (cause instanceof DatabaseError) return cause
  const source: Record<string, unknown> = typeof cause === 'object' && cause !== null ? { ...cause } : {}
  const fields: ErrorFields = {}
  for (const field of errorFields) {
    const value = source[field]
    if (typeof value === 'string') fields[field] = value
  }
  const code = fields.code !== undefined && /^[0-9A-Z]{5}$/.test(fields.code) ? fields.code : '08006'
  const message = cause instanceof Error && cause.message !== '' ? cause.message : 'The database could not be reached'
  return new DatabaseError(message, { ...fields, code }, { cause })
}
