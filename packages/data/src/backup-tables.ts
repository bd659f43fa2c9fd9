import { createHash } from 'node:crypto'
import type { OwnerSession } from './backup-session.ts'
import { quoteName } from './engines/values.ts'

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

/** Rows come in pages of about this many characters … */
const PAGE_CHARACTERS = 2 * 1024 * 1024

/** … but of no more than this many rows, since the next may be larger than those before. */
const PAGE_ROWS = 200

/** What makes the same value the same text on every engine, for as long as the transaction lasts. */
const SETTINGS = {
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  extra_float_digits: '1',
  bytea_output: 'hex',
  lc_monetary: 'C',
  // So an extension's types are written without a schema.
  search_path: 'pg_catalog, extensions',
  statement_timeout: '0',
  idle_in_transaction_session_timeout: '0',
}

/** Begins a transaction and settles how values are written. In one that only reads, everything seen is of one moment. */
export async function beginCopy(session: OwnerSession, mode: 'read' | 'write'): Promise<void> {
  await session.query(mode === 'read' ? 'begin isolation level repeatable read, read only' : 'begin')
  for (const [name, value] of Object.entries(SETTINGS)) await session.query(`select set_config($1, $2, true)`, [name, value])
}

/** The tables of every service, by name, with the columns that are kept. */
export async function readTables(session: OwnerSession): Promise<ReadableTable[]> {
  const { rows } = await session.query(`
    select n.nspname, c.relname, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attcollation <> 0,
      array_position(i.indkey::int2[], a.attnum)
    from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
    left join pg_index i on i.indrelid = c.oid and i.indisprimary
    where n.nspname in (select service from platform.roles) and c.relkind in ('r', 'p') and not c.relispartition
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

/** Every row as one line of JSON, an array of texts and nulls, a page at a time by a cursor of the open transaction. */
export async function* rowLines(session: OwnerSession, table: ReadableTable): AsyncGenerator<string[]> {
  const columns = table.columns.map(({ name }) => quoteName(name)).join(', ')
  await session.query(`declare copied no scroll cursor for select ${columns} from ${sqlName(table)} order by ${table.order}`)
  let count = 20
  for (;;) {
    const { rows } = await session.query(`fetch ${count} from copied`)
    if (rows.length === 0) break
    const page = rows.map((row) => JSON.stringify(row))
    const characters = page.reduce((total, { length }) => total + length, 0)
    count = Math.max(1, Math.min(PAGE_ROWS, Math.floor((PAGE_CHARACTERS / characters) * rows.length)))
    yield page
  }
  await session.query('close copied')
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
