import { createHash } from 'node:crypto'
import { printer } from './backup-tables.ts'
import type { BackupTable, Print } from './backup-tables.ts'

/** The only version of the format there is. */
export const FORMAT = { format: 'dot-do-backup', version: 1 }

/** A migration that the database had run when it was copied. */
export interface BackupMigration {
  service: string
  name: string
  sha256: string
}

/** The first line: of what the backup is. */
export interface BackupHeader {
  at: string
  /** PostgreSQL's own sentence, `PostgreSQL 18.6 on …`. */
  engine: string
  migrations: BackupMigration[]
}

/** A sequence and the number it gives next. */
export interface BackupSequence {
  schema: string
  name: string
  next: string
}

/** The last line but one: what there must have been. */
export interface BackupEnd {
  tables: (Pick<BackupTable, 'schema' | 'name'> & Print)[]
  sequences: BackupSequence[]
}

/** What a backup consists of, line by line; the rows of a table follow it, each as its own text and its values. */
export type BackupRecord = { header: BackupHeader } | { table: BackupTable } | { row: (string | null)[]; line: string } | { end: BackupEnd }

/** Says why a file is no backup, or no longer the one that was written. */
export class BackupDamaged extends Error {
  override readonly name = 'BackupDamaged'
}

/** Adds the last line: the hash of all that came before. */
export async function* sealed(lines: AsyncIterable<string>): AsyncGenerator<string> {
  const hash = createHash('sha256')
  for await (const line of lines) {
    hash.update(line).update('\n')
    yield line
  }
  yield JSON.stringify({ sha256: hash.digest('hex') })
}

/**
 * Reads the lines of a backup. Fails with BackupDamaged for whatever differs from what was written: a cut file, a changed value, a row too many. That is certain only at
 * the end, so whoever acts on a record must be able to take it back until then.
 */
export async function* readRecords(lines: AsyncIterable<string>): AsyncGenerator<BackupRecord> {
  const whole = createHash('sha256')
  const expected: BackupEnd['tables'] = []
  let current: { table: BackupTable; printed: ReturnType<typeof printer> } | undefined
  let state: 'start' | 'rows' | 'ended' | 'sealed' = 'start'
  const finishTable = (): void => {
    if (current) expected.push({ schema: current.table.schema, name: current.table.name, ...current.printed.print() })
    current = undefined
  }
  for await (const line of lines) {
    if (state === 'sealed') throw new BackupDamaged('The backup goes on after its end')
    if (state === 'ended') {
      if (JSON.stringify({ sha256: whole.digest('hex') }) !== line) throw new BackupDamaged('The backup is damaged: it is not what was written')
      state = 'sealed'
      continue
    }
    whole.update(line).update('\n')
    const record = recordOf(line, state === 'start')
    if ('header' in record) state = 'rows'
    if ('table' in record) {
      finishTable()
      current = { table: record.table, printed: printer() }
    }
    if ('row' in record) demandRow(record.row, current?.table)
    if ('row' in record) current?.printed.add(line)
    if ('end' in record) {
      finishTable()
      if (JSON.stringify(record.end.tables) !== JSON.stringify(expected)) throw new BackupDamaged('The backup is damaged: its rows are not those it counted')
      state = 'ended'
    }
    yield record
  }
  if (state !== 'sealed') throw new BackupDamaged('The backup is cut off: its end is missing')
}

function demandRow(row: unknown[], table: BackupTable | undefined): void {
  if (table && row.length === table.columns.length && row.every((value) => value === null || typeof value === 'string')) return
  throw new BackupDamaged('The backup is damaged: a row does not fit its table')
}

function recordOf(line: string, isFirst: boolean): BackupRecord {
  const value = parsed(line)
  if (isFirst) return { header: headerOf(value) }
  if (Array.isArray(value)) return { row: value as (string | null)[], line } // demandRow looks at every value before anyone else does
  if (isRecord(value) && isTable(value['table'])) return { table: value['table'] }
  if (isRecord(value) && isEnd(value['end'])) return { end: value['end'] }
  throw new BackupDamaged('The backup is damaged: it has a line of no known kind')
}

function headerOf(value: unknown): BackupHeader {
  if (!isRecord(value) || value['format'] !== FORMAT.format) throw new BackupDamaged('This is no backup made by db:backup')
  if (value['version'] !== FORMAT.version) throw new BackupDamaged(`The backup is of format ${String(value['version'])}; this program reads ${FORMAT.version}`)
  const { at, engine, migrations } = value
  const isWhole = typeof at === 'string' && typeof engine === 'string' && Array.isArray(migrations) && migrations.every(isMigration)
  if (!isWhole) throw new BackupDamaged('The backup is damaged: its first line does not say what it is of')
  return { at, engine, migrations }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch (cause) {
    throw new BackupDamaged('This is no backup, or a damaged one: a line is not JSON', { cause })
  }
}

type Loose = Record<string, unknown>

const isRecord = (value: unknown): value is Loose => typeof value === 'object' && value !== null && !Array.isArray(value)

const hasTexts = (value: unknown, names: string[]): boolean => isRecord(value) && names.every((name) => typeof value[name] === 'string')

const isMigration = (value: unknown): value is BackupMigration => hasTexts(value, ['service', 'name', 'sha256'])

const isTable = (value: unknown): value is BackupTable =>
  isRecord(value) &&
  hasTexts(value, ['schema', 'name']) &&
  Array.isArray(value['columns']) &&
  value['columns'].every((column) => hasTexts(column, ['name', 'type']))

const isEnd = (value: unknown): value is BackupEnd =>
  isRecord(value) &&
  Array.isArray(value['tables']) &&
  value['tables'].every((table) => hasTexts(table, ['schema', 'name', 'sha256'])) &&
  Array.isArray(value['sequences']) &&
  value['sequences'].every((sequence) => hasTexts(sequence, ['schema', 'name', 'next']))
