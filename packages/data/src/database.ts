import type { Db } from '@dot-do/worker-contracts/db'
import { onward, type Call } from '@dot-do/worker-kernel/call'
import { DrizzleQueryError } from 'drizzle-orm'
import { drizzle, type PgRemoteDatabase } from 'drizzle-orm/pg-proxy'

/** What an env holds where a service keeps its tables: db's `execute`, under the service's own role. */
export interface HasDatabase {
  DB_SERVICE: Pick<Db, 'execute'>
}

/** A query that Drizzle has built, or SQL written out. */
export type Buildable = { toSQL(): { sql: string; params: unknown[] } } | { sql: string; params: unknown[] }

type Rows = Awaited<ReturnType<Db['execute']>>['results'][number]

/** A value that a parameter can be: Drizzle has turned dates and objects into text before. */
type Parameter = string | number | boolean | null

/** Drizzle over db's `execute`: SQL is built here and run there, each query a transaction of its own. A query fails with db's own error. */
export function database(call: Call<HasDatabase>): PgRemoteDatabase {
  const remote = drizzle(async (sql, params) => {
    const [result] = await execute(call, [{ sql, params }])
    return { rows: result?.rows ?? [] }
  })
  const { session } = remote._
  const prepare = session.prepareQuery.bind(session)
  session.prepareQuery = (...query) => {
    const prepared = prepare(...query)
    const run = prepared.execute.bind(prepared)
    prepared.execute = (values) => run(values).catch(unwrap)
    return prepared
  }
  return remote
}

/** Drizzle puts an error into one of its own, which has no code and repeats the query with all its values. */
function unwrap(thrown: unknown): never {
  throw thrown instanceof DrizzleQueryError && thrown.cause ? thrown.cause : thrown
}

/** Runs statements in order as one transaction: all or none. Drizzle's remote driver has no transactions of its own. */
export async function batch(call: Call<HasDatabase>, statements: Buildable[]): Promise<Rows[]> {
  return execute(
    call,
    statements.map((statement) => ('toSQL' in statement ? statement.toSQL() : statement)),
  )
}

async function execute(call: Call<HasDatabase>, statements: { sql: string; params: unknown[] }[]): Promise<Rows[]> {
  const prepared = statements.map(({ sql, params }) => ({ sql, params: params as Parameter[] })) // Drizzle's column types encode to these
  const { results } = await call.env.DB_SERVICE.execute({ statements: prepared }, onward(call))
  return results
}
