import { PGlite, protocol } from '@electric-sql/pglite'
import { vector } from '@electric-sql/pglite-pgvector'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import type { QueryArrayConfig } from 'pg'
import { outcomeOf, statementMessages } from './engines/embedded-protocol.ts'
import { toDatabaseError } from './engines/engine.ts'
import type { Result } from './engines/engine.ts'
import { encodeValue } from './engines/values.ts'

/** One connection of the owner. Unlike an Engine's batch it keeps a transaction open from one query to the next, which a copy of everything needs. */
export interface OwnerSession {
  /** Runs one statement; values are PostgreSQL's own text. Fails with a DatabaseError. */
  query(sql: string, params?: readonly unknown[]): Promise<Result>
  /** Ends the connection, and with it a transaction that is open: it is rolled back. */
  close(): Promise<void>
}

// Values stay PostgreSQL's text: what is copied must not pass through a number or a date of JavaScript.
const types = { getTypeParser: () => (value: string) => value }

/** Connects to a server as its URL's user. */
export async function serverSession(url: string): Promise<OwnerSession> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000, keepAlive: true, application_name: 'dot-do' })
  // A connection that breaks while nothing is asked fails the next query; without a listener it would end the process.
  client.on('error', () => undefined)
  try {
    await client.connect()
  } catch (error) {
    throw toDatabaseError(error)
  }
  return {
    async query(sql, params = []) {
      const query: QueryArrayConfig & { queryMode: 'extended' } = { text: sql, values: params.map(encodeValue), rowMode: 'array', types, queryMode: 'extended' }
      try {
        const { command, rowCount, fields, rows } = await client.query<(string | null)[]>(query)
        return { command, rowCount: rowCount ?? 0, fields: fields.map(({ name, dataTypeID }) => ({ name, dataTypeID })), rows }
      } catch (error) {
        throw toDatabaseError(error)
      }
    },
    close: () => client.end(),
  }
}

/** Opens the embedded database of a directory, as the only one: whoever calls holds the directory's lock. Fails where there is none yet. */
export async function embeddedSession(dir: string): Promise<OwnerSession> {
  const isThere = await stat(join(dir, 'filled')).catch(() => undefined)
  if (!isThere) throw new Error(`There is no database in ${dir}`)
  return sessionOf(await PGlite.create({ dataDir: join(dir, 'data'), extensions: { vector } }))
}

/** A PGlite that is open already, as a session. */
export function sessionOf(pglite: PGlite): OwnerSession {
  return {
    async query(sql, params = []) {
      const messages = [...statementMessages({ sql, params }), protocol.serialize.sync()]
      const { buffer, byteOffset, byteLength } = await pglite.execProtocolRaw(Buffer.concat(messages))
      const { results, error } = outcomeOf(Buffer.from(buffer, byteOffset, byteLength))
      if (error) throw error
      return results[0] ?? { command: '', rowCount: 0, fields: [], rows: [] }
    },
    close: () => pglite.close(),
  }
}
