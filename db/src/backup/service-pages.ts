import type { BackupEnd } from '@dot-do/worker-data/backup-format'
import { linesInPages, readSequences, readTables, rowsQuery, sqlName, tablePages, type ReadableTable, type RowReader } from '@dot-do/worker-data/backup-tables'
import { copySettings } from '@dot-do/worker-data/engines/copy-settings'
import { quoteName } from '@dot-do/worker-data/engines/values'
import { databaseError } from '../database-error.ts'
import type { Session } from '../transports/session.ts'
import { PortalRows } from './portal-rows.ts'

/** Opens a connection that logs in as one role. */
export type OpenSession = (role: string) => Promise<Session>

/** The server gives up a transaction in which nothing happens for so long: while a part of the copy is stored. The embedded engine has a shorter patience of its own. */
const IDLE_LIMIT = "set local idle_in_transaction_session_timeout = '60s'"

const BEGIN = ['begin isolation level repeatable read, read only', IDLE_LIMIT, ...copySettings].map((sql) => ({ sql, params: [] }))

/** A page may take as long as a role's statement may: the first one sorts the table. */
const PAGE_LIMIT_MS = 30_000

/** No page may be larger, whatever its rows are: it is in memory several times over. */
const PAGE_BYTES = 8 * 1024 * 1024

/** No page has more rows. */
const PAGE_ROWS = 500

/** A service's part of a backup, in pages of lines: its tables as they are at one moment, read under its own role. */
export async function* servicePages(service: string, open: OpenSession): AsyncGenerator<string[], BackupEnd> {
  const session = await open(service).catch((thrown: unknown) => {
    throw databaseError(thrown)
  })
  try {
    await session.ask(BEGIN)
    const reader: RowReader = {
      query: async (sql, params = []) => ({ rows: await session.give(new PortalRows({ sql, params: [...params] }, 0), PAGE_LIMIT_MS) }),
    }
    const tables: BackupEnd['tables'] = []
    for (const table of await readTables(reader, service)) tables.push(yield* tablePages(table, rowPages(table, { session, reader })))
    const sequences = await readSequences(reader, service)
    await session.ask([{ sql: 'commit', params: [] }])
    return { tables, sequences }
  } catch (thrown) {
    throw databaseError(thrown)
  } finally {
    session.close()
  }
}

async function* rowPages(table: ReadableTable, { session, reader }: { session: Session; reader: RowReader }): AsyncGenerator<string[]> {
  const maxRows = Math.max(1, Math.min(PAGE_ROWS, Math.floor(PAGE_BYTES / (await largestRow(table, reader)))))
  let statement: { sql: string; params: [] } | undefined = { sql: rowsQuery(table), params: [] }
  yield* linesInPages((count) => {
    const page = session.give(new PortalRows(statement, count), PAGE_LIMIT_MS)
    statement = undefined
    return page
  }, maxRows)
}

/** How many bytes a table's largest row may have as text. Of texts and bytes PostgreSQL knows it without reading them. */
async function largestRow(table: ReadableTable, reader: RowReader): Promise<number> {
  const sizes = table.columns.map(({ name, type }) => `coalesce(${sizeOf(quoteName(name), type)}, 4)`)
  const { rows } = await reader.query(`select max(${sizes.join(' + ')}) from ${sqlName(table)}`)
  return Number(rows[0]?.[0] ?? 0) + 1
}

function sizeOf(column: string, type: string): string {
  if (type === 'text' || type.startsWith('character')) return `octet_length(${column})`
  if (type === 'bytea') return `2 * octet_length(${column})`
  if (type === 'json' || type === 'jsonb' || type.endsWith('[]')) return `octet_length(${column}::text)`
  // A number takes its most room as a text in float4 and in short ones of numeric: less than twelve times what it is stored in.
  return `12 * pg_column_size(${column})`
}
