import { guard } from '@dot-do/worker-data/engines/guard'
import { BoundedCache } from '@dot-do/worker-utils'
import { databaseError } from './database-error.ts'
import type { Env } from './env.ts'
import { transportOf } from './transports/address.ts'
import { heldConnections } from './transports/held-connections.ts'
import { httpConnection } from './transports/http.ts'

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

/** The same before its values are read. */
export interface TextRows extends Rows {
  rows: (string | null)[][]
}

/** Statements as one role, all or none. */
export type Connection = (statements: Statement[], options?: { readOnly?: boolean }) => Promise<Rows[]>

const connections = new BoundedCache<string, Connection>({ maxEntries: 64, ttlMs: Infinity })

/** The connection of one PostgreSQL role, whose wall the database itself keeps. */
export async function connectionAs(role: string, env: Env): Promise<Connection> {
  const key = `${role} ${env.DATABASE_URL}`
  const known = connections.get(key)
  if (known) return known
  const made = await connect(role, env)
  connections.set(key, made)
  return made
}

/** A connection of its own. It takes the same statements, and gives the same values and errors, over each transport. */
export async function connect(role: string, env: Env): Promise<Connection> {
  const run = transportOf(env) === 'http' ? await httpConnection(role, env) : heldConnections(role, env)
  return async (statements, { readOnly = false } = {}) => {
    try {
      guard(role, statements)
      return await run(statements, readOnly)
    } catch (thrown) {
      throw databaseError(thrown)
    }
  }
}
