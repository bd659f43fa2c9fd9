import pg from 'pg'
import type { PoolClient, QueryArrayConfig } from 'pg'
import { toDatabaseError } from './engine.ts'
import type { BatchOptions, Engine, Result, Statement } from './engine.ts'
import { guard, onlyReads, touchesSession } from './guard.ts'
import { beginStatement, demandDeliverable, encodeValue } from './values.ts'

/** How the engine reaches a server: the URL's own user is the owner, and `passwordOf` gives every other role's password. */
export interface PostgresOptions {
  url: string
  passwordOf: (role: string) => Promise<string>
  /** Connections kept per role at most. */
  poolSize?: number
}

// Values stay PostgreSQL's text: the caller's driver parses them.
const types = { getTypeParser: () => (value: string) => value }

/**
 * A PostgreSQL server as an Engine. Every role has a small pool of connections that log in as that role, so the server itself keeps roles apart; a connection never
 * changes hands between roles. Connections lost to a restart of the server are dropped and made anew by the next batch; the batch that was running fails.
 */
export function postgresEngine(options: PostgresOptions): Engine {
  return new Postgres(options)
}

class Postgres implements Engine {
  readonly #options: PostgresOptions
  readonly #pools = new Map<string | null, pg.Pool>()

  constructor(options: PostgresOptions) {
    this.#options = options
  }

  async batch(role: string | null, statements: readonly Statement[], options: BatchOptions = {}): Promise<Result[]> {
    guard(role, statements)
    const leftovers = touchesSession(statements)
    return this.#connected(role, leftovers, async (client) => {
      const begin = beginStatement(options)
      if (statements.length === 1 && begin === 'begin' && options.timeoutMs === undefined && onlyReads(statements))
        return deliver(await runAll(client, statements))
      const before = [begin, ...(options.timeoutMs === undefined ? [] : [`set local statement_timeout = ${Math.trunc(options.timeoutMs)}`])]
      return transact(client, before, async () => deliver(await runAll(client, statements)))
    })
  }

  async script(sql: string): Promise<void> {
    await this.#connected(null, true, (client) => transact(client, ['begin', 'set local statement_timeout = 0'], () => client.query(sql)))
  }

  async close(): Promise<void> {
    const pools = [...this.#pools.values()]
    this.#pools.clear()
    await Promise.all(pools.map((pool) => pool.end()))
  }

  async #connected<T>(role: string | null, hasLeftovers: boolean, work: (client: PoolClient) => Promise<T>): Promise<T> {
    let client: PoolClient
    try {
      client = await (await this.#pool(role)).connect()
    } catch (error) {
      throw toDatabaseError(error)
    }
    try {
      return await work(client)
    } catch (error) {
      throw toDatabaseError(error)
    } finally {
      release(client, hasLeftovers)
    }
  }

  async #pool(role: string | null): Promise<pg.Pool> {
    const { url, passwordOf, poolSize = 4 } = this.#options
    const address = new URL(url)
    if (role !== null && !this.#pools.has(role)) {
      address.username = encodeURIComponent(role)
      address.password = encodeURIComponent(await passwordOf(role))
    }
    const known = this.#pools.get(role)
    if (known) return known
    const pool = new pg.Pool({
      connectionString: address.href,
      max: poolSize,
      connectionTimeoutMillis: 5_000,
      idleTimeoutMillis: 30_000,
      keepAlive: true,
      application_name: 'dot-do',
    })
    // An idle connection that breaks is dropped by the pool; without a listener it would end the process.
    pool.on('error', () => undefined)
    this.#pools.set(role, pool)
    return pool
  }
}

/** Puts a connection back. What a batch may have left in its session is discarded after its answer is on the way, not before. */
function release(client: PoolClient, hasLeftovers: boolean): void {
  if (!hasLeftovers) return client.release()
  client.query('discard all').then(
    () => client.release(),
    (error: Error) => client.release(error),
  )
}

async function transact<T>(client: PoolClient, before: readonly string[], work: () => Promise<T>): Promise<T> {
  for (const sql of before) await client.query(sql)
  try {
    const value = await work()
    await client.query('commit')
    return value
  } catch (error) {
    await client.query('rollback').catch(() => undefined)
    throw error
  }
}

async function runAll(client: PoolClient, statements: readonly Statement[]): Promise<Result[]> {
  const results: Result[] = []
  for (const { sql, params } of statements) {
    // Without parameters pg would use the simple protocol, in which one text may hold several statements.
    const query: QueryArrayConfig & { queryMode: 'extended' } = { text: sql, values: params.map(encodeValue), rowMode: 'array', types, queryMode: 'extended' }
    const { command, rowCount, fields, rows } = await client.query<(string | null)[]>(query)
    results.push({ command, rowCount: rowCount ?? 0, fields: fields.map(({ name, dataTypeID }) => ({ name, dataTypeID })), rows })
  }
  return results
}

function deliver(results: Result[]): Result[] {
  demandDeliverable(results)
  return results
}
