import { createHash } from 'node:crypto'
import type { BackupEnd, BackupSequence } from './backup-format.ts'
import type { OwnerSession } from './backup-session.ts'
import { copySettings } from './engines/copy-settings.ts'
import { quoteName, quoteText } from './engines/values.ts'

/** A column that is kept; those that PostgreSQL generates are made anew. */
export interface BackupColumn {
  name: string
  /** As PostgreSQL writes it, `vector(384)`. */
  type: string
}

/** A table of a service, as it stands in a database or a backup. */
export interface BackupTable {
  schema: string
  name: string
  columns: BackupColumn[]
}

/** A table that can be read. */
export interface ReadableTable extends BackupTable {
  /** What its rows are ordered by, the same on every engine and in every locale. */
  order: string
}

/** How many rows a table has, and the SHA-256 of all their lines in order. */
export interface Print {
  rows: number
  sha256: string
}

/** Whatever answers statements with rows of PostgreSQL's own text. */
export interface RowReader {
  query(sql: string, params?: readonly unknown[]): Promise<{ rows: (string | null)[][] }>
}

/** Rows come in pages of about this many characters … */
const PAGE_CHARACTERS = 2 * 1024 * 1024

/** … but of no more than this many rows, since the next may be larger than those before. */
const PAGE_ROWS = 200

/** Begins a transaction and settles how values are written. In one that only reads, everything seen is of one moment. */
export async function beginCopy(session: OwnerSession, mode: 'read' | 'write'): Promise<void> {
  await session.query(mode === 'read' ? 'begin isolation level repeatable read, read only' : 'begin')
  for (const sql of [...copySettings, 'set local statement_timeout to 0', 'set local idle_in_transaction_session_timeout to 0']) await session.query(sql)
}

/** Which schemas are copied: those of every service, or one's own, for who may not read which services there are. */
const schemasOf = (service: string | undefined): string => (service === undefined ? 'in (select service from platform.roles)' : `= ${quoteText(service)}`)

/** The tables of every service, or of one, by name, with the columns that are kept. */
export async function readTables(session: RowReader, service?: string): Promise<ReadableTable[]> {
  const { rows } = await session.query(`
    select n.nspname, c.relname, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attcollation <> 0,
      array_position(i.indkey::int2[], a.attnum)
    from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
    left join pg_index i on i.indrelid = c.oid and i.indisprimary
    where n.nspname ${schemasOf(service)} and c.relkind in ('r', 'p') and not c.relispartition
      and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
    order by n.nspname collate "C", c.relname collate "C", a.attnum`)
  const tables = new Map<string, ReadableTable & { keys: { place: number; term: string }[]; terms: string[] }>()
  for (const [schema = '', name = '', column = '', type = '', collated, place] of rows.map((row) => row.map((value) => value ?? ''))) {
    const key = JSON.stringify([schema, name])
    const table = tables.get(key) ?? { schema, name, columns: [], order: '', keys: [], terms: [] }
    tables.set(key, table)
    table.columns.push({ name: column, type })
    const term = collated === 't' ? `${quoteName(column)} collate "C"` : quoteName(column)
    if (place !== '') table.keys.push({ place: Number(place), term })
    table.terms.push(`${quoteName(column)}::text collate "C"`)
  }
  return [...tables.values()].map(({ schema, name, columns, keys, terms }) => {
    const byKey = keys.sort((one, other) => one.place - other.place).map(({ term }) => term)
    return { schema, name, columns, order: (byKey.length > 0 ? byKey : terms).join(', ') }
  })
}

/** A table's name as SQL has it. */
export const sqlName = ({ schema, name }: Pick<BackupTable, 'schema' | 'name'>): string => `${quoteName(schema)}.${quoteName(name)}`

/** A table's name as a person reads it. */
export const shownName = ({ schema, name }: Pick<BackupTable, 'schema' | 'name'>): string => `${schema}.${name}`

/** The rows of a table, as a cursor or portal over it is to read them. */
export function rowsQuery(table: ReadableTable): string {
  return `select ${table.columns.map(({ name }) => quoteName(name)).join(', ')} from ${sqlName(table)} order by ${table.order}`
}

/** Every row as one line of JSON, an array of texts and nulls, a page at a time by a cursor of the open transaction. */
export async function* rowLines(session: OwnerSession, table: ReadableTable): AsyncGenerator<string[]> {
  await session.query(`declare copied no scroll cursor for ${rowsQuery(table)}`)
  yield* linesInPages(async (count) => (await session.query(`fetch ${count} from copied`)).rows)
  await session.query('close copied')
}

/** Rows as lines, in pages of a size that memory can hold. `read` gives the next rows, as many as it is told or what is left. */
export async function* linesInPages(read: (count: number) => Promise<(string | null)[][]>, maxRows = PAGE_ROWS): AsyncGenerator<string[]> {
  for (let count = Math.min(20, maxRows); ;) {
    const rows = await read(count)
    if (rows.length === 0) return
    const page = rows.map((row) => JSON.stringify(row))
    const characters = page.reduce((total, { length }) => total + length, 0)
    yield page
    count = Math.max(1, Math.min(maxRows, Math.floor((PAGE_CHARACTERS / characters) * rows.length)))
  }
}

/** A table's part of a backup, in pages of lines: its heading, then its rows. Answers what the end of the backup says of it. */
export async function* tablePages(
  { schema, name, columns }: BackupTable,
  pages: AsyncIterable<string[]>,
): AsyncGenerator<string[], BackupEnd['tables'][number]> {
  yield [JSON.stringify({ table: { schema, name, columns } })]
  const printed = printer()
  for await (const page of pages) {
    page.forEach(printed.add)
    yield page
  }
  return { schema, name, ...printed.print() }
}

/** The sequences of every service, or of one, and the number each gives next. They are not part of a snapshot: read last, they are past every row that is in it. */
export async function readSequences(session: RowReader, service?: string): Promise<BackupSequence[]> {
  const { rows } = await session.query(`
    select n.nspname, c.relname, s.seqincrement from pg_sequence s join pg_class c on c.oid = s.seqrelid join pg_namespace n on n.oid = c.relnamespace
    where n.nspname ${schemasOf(service)} order by n.nspname collate "C", c.relname collate "C"`)
  const sequences: BackupSequence[] = []
  for (const [schema, name, increment] of rows) {
    if (typeof schema !== 'string' || typeof name !== 'string') continue
    const sql = `select last_value + case when is_called then $1::bigint else 0 end from ${sqlName({ schema, name })}`
    const { rows: values } = await session.query(sql, [increment])
    sequences.push({ schema, name, next: values[0]?.[0] ?? '1' })
  }
  return sequences
}

/** Counts and hashes lines as they pass. */
export function printer(): { add(line: string): void; print(): Print } {
  const hash = createHash('sha256')
  let rows = 0
  return {
    add(line) {
      rows += 1
      hash.update(line).update('\n')
    },
    print: () => ({ rows, sha256: hash.digest('hex') }),
  }
}
