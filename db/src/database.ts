import { neon, neonConfig, types as neonTypes } from '@neondatabase/serverless'
import { rolePassword } from '@dot-do/worker-data/role-password'
import { BoundedCache } from '@dot-do/worker-utils'
import type { Env } from './env.ts'
import { databaseError } from './database-error.ts'

/** One parametrised statement. */
export interface Statement {
  sql: string
  params: unknown[]
}

/** What a statement gave. Values are JSON's, with int8, numeric and times as PostgreSQL's text. */
export interface Rows {
  command: string
  rowCount: number
  fields: { name: string; dataTypeID: number }[]
  rows: unknown[][]
}

/** Statements as one role, all or none. */
export type Connection = (statements: Statement[], options?: { readOnly?: boolean }) => Promise<Rows[]>

/** An outside call that gets no answer is given up after this time. */
const TIMEOUT_MS = 15_000

const connections = new BoundedCache<string, Connection>({ maxEntries: 64, ttlMs: Infinity })

/** The connection of one PostgreSQL role, whose wall the database itself keeps. */
export async function connectionAs(role: string, env: Env): Promise<Connection> {
  const known = connections.get(role)
  if (known) return known
  const made = await connect(role, env)
  connections.set(role, made)
  return made
}

async function connect(role: string, env: Env): Promise<Connection> {
  const { DATABASE } = env
  // The driver takes its fetch from a global; it is the same for every role of an isolate.
  if (DATABASE) neonConfig.fetchFunction = (url: string, init: RequestInit) => DATABASE.fetch(url, init)
  const url = new URL(env.DATABASE_URL)
  url.username = role
  url.password = await rolePassword(env.DB_ROLE_SECRET, role)
  const sql = neon(url.href, { arrayMode: true, fullResults: true, disableWarningInBrowsers: true })
  return async (statements, { readOnly = false } = {}) => {
    const fetchOptions = { signal: AbortSignal.timeout(TIMEOUT_MS) }
    const [first, ...others] = statements
    try {
      if (first && others.length === 0 && !readOnly) return [(await sql.query(first.sql, first.params, { types, fetchOptions })) as Rows]
      const queries = statements.map((statement) => sql.query(statement.sql, statement.params, { types }))
      return (await sql.transaction(queries, { readOnly, fetchOptions })) as Rows[] // with arrayMode and fullResults that is what each result is
    } catch (thrown) {
      throw databaseError(thrown)
    }
  }
}

/** PostgreSQL's type numbers (`pg_type.dat`) whose text has an exact counterpart in JSON. */
const PARSERS: Record<number, (text: string) => unknown> = {
  16: (text) => text === 't',
  21: Number,
  23: Number,
  26: Number,
  114: JSON.parse,
  700: Number,
  701: Number,
  3802: JSON.parse,
}

/** Arrays of booleans, numbers that JSON holds, texts, int8 as text, and JSON. */
const EXACT_ARRAYS = new Set([199, 1000, 1005, 1007, 1009, 1015, 1016, 1021, 1022, 3807])

function getTypeParser(dataTypeID: number): (text: string) => unknown {
  if (EXACT_ARRAYS.has(dataTypeID)) return neonTypes.getTypeParser(dataTypeID)
  return PARSERS[dataTypeID] ?? String
}

/** The driver takes these with each query and leaves them unread among a connection's options. */
const types = { getTypeParser }
