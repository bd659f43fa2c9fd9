import { serverSession } from '@dot-do/worker-data/backup-session'
import { startStockPostgres } from '@dot-do/worker-data/stock-postgres'
import { runCommand } from './commands.ts'

/** The environment that names a database to a command. */
export interface DatabaseEnv extends Record<string, string> {
  DATABASE_URL: string
  DB_ROLE_SECRET: string
}

/** A stock PostgreSQL that gives databases away. */
export interface StockDatabases {
  /** An empty database. */
  empty(): Promise<DatabaseEnv>
  /** One with every service's tables, and five hundred notes. */
  filled(): Promise<DatabaseEnv>
  stop(): Promise<void>
}

const COMMAND = `jsonb_build_object('operation', 'upsert', 'ns', 'default', 'id', 'note/' || n, 'type', 'Note', 'content', repeat('Ä ' || n, 50),
  'data', jsonb_build_object('n', n), 'visibility', 'private', 'path', '')`

/** Writes five hundred notes. */
export const FILL = `select db.apply((select jsonb_agg(${COMMAND}) from generate_series(1, 500) n), 'tester', '2026-11-21T12:00:00.123Z')`

/** Starts a server. */
export async function startStockDatabases(): Promise<StockDatabases> {
  const stock = await startStockPostgres()
  let count = 0
  const empty = async (): Promise<DatabaseEnv> => {
    const name = `operations_${count++}`
    await sql(stock.url, `create database ${name}`)
    return { DATABASE_URL: stock.url.replace(/\/postgres$/, `/${name}`), DB_ROLE_SECRET: 'the secret of the operations' }
  }
  return {
    empty,
    async filled() {
      const env = await empty()
      const { code, stderr } = await runCommand('migrate.ts', [], env)
      if (code !== 0) throw new Error(`No database: ${stderr}`)
      await sql(env.DATABASE_URL, FILL)
      return env
    },
    stop: stock.stop,
  }
}

/** Runs SQL as the owner of a server's database. */
export async function sql(url: string, text: string): Promise<(string | null)[][]> {
  const session = await serverSession(url)
  return session
    .query(text)
    .then(({ rows }) => rows)
    .finally(() => session.close())
}
