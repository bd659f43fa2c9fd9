import { readApplied } from './backup.ts'
import type { CopyOptions } from './backup.ts'
import { BackupDamaged } from './backup-format.ts'
import type { BackupEnd, BackupMigration, BackupRecord } from './backup-format.ts'
import type { OwnerSession } from './backup-session.ts'
import { beginCopy, printer, readTables, rowLines, shownName, sqlName } from './backup-tables.ts'
import type { BackupTable, ReadableTable } from './backup-tables.ts'
import { quoteName } from './engines/values.ts'
import { lockKey } from './migrations.ts'
import { withoutTriggers } from './restore-triggers.ts'

/** What came back. */
export interface Restored {
  tables: { table: string; rows: number }[]
  /** Tables of the backup that this database cannot have, for want of a type such as pgvector's, with the rows that were left out. */
  leftOut: { table: string; rows: number }[]
}

/** Says that a backup was not restored because of what the database holds. Nothing has changed. */
export class RestoreRefused extends Error {
  override readonly name = 'RestoreRefused'
}

/** How a backup is restored; with `replace` the rows that are there make way. */
export type RestoreOptions = CopyOptions & { replace?: boolean }

/** Rows are written in batches of at most so many, or so many characters. */
const BATCH = { rows: 1_000, characters: 1024 * 1024 }

/**
 * Writes the rows of a backup into a database that has run the same migrations, in one transaction, and reads them back before it commits: the rows that are there then
 * have the hashes that the backup has. Fails with nothing changed: RestoreRefused when rows are there or the migrations are others, BackupDamaged for a damaged file.
 */
export async function restoreRecords(session: OwnerSession, records: AsyncIterable<BackupRecord>, options: RestoreOptions = {}): Promise<Restored> {
  await beginCopy(session, 'write')
  try {
    // Nobody migrates meanwhile.
    await session.query('select pg_advisory_xact_lock($1)', [lockKey])
    const tables = await readTables(session)
    await makeRoom(session, tables, options.replace ?? false)
    const afterwards = await withoutTriggers(session)
    const restored = await new Restoring(session, tables, options).run(records)
    for (const sql of afterwards) await session.query(sql)
    await session.query('commit')
    for (const table of tables) await session.query(`analyze ${sqlName(table)}`)
    return restored
  } catch (error) {
    await session.query('rollback').catch(() => undefined)
    throw error
  }
}

/** Whether a service has rows in this database; false also where nothing was migrated yet. */
export async function isOccupied(session: OwnerSession): Promise<boolean> {
  const { rows } = await session.query(`select to_regclass('platform.roles') is not null`)
  return rows[0]?.[0] === 't' && (await occupied(session, await readTables(session))).length > 0
}

async function occupied(session: OwnerSession, tables: ReadableTable[]): Promise<ReadableTable[]> {
  const found: ReadableTable[] = []
  for (const table of tables) {
    const { rows } = await session.query(`select exists (select from ${sqlName(table)})`)
    if (rows[0]?.[0] === 't') found.push(table)
  }
  return found
}

async function makeRoom(session: OwnerSession, tables: ReadableTable[], replace: boolean): Promise<void> {
  if (tables.length === 0) return
  // Whoever writes waits, so that what is read back is what was restored.
  await session.query(`lock table ${tables.map(sqlName).join(', ')} in exclusive mode`)
  if (!replace) {
    const [first, ...others] = await occupied(session, tables)
    if (!first) return
    throw new RestoreRefused(
      `The database has rows, in ${shownName(first)}${others.length > 0 ? ` and ${others.length} more tables` : ''}; --replace removes them first`,
    )
  }
  await session.query(`truncate ${tables.map(sqlName).join(', ')}`)
}

/** One restoration: what the records have told so far. */
class Restoring {
  readonly #session: OwnerSession
  readonly #tables: ReadableTable[]
  readonly #options: RestoreOptions
  readonly #leftOut = new Set<string>()
  #current: ReadableTable | undefined
  #waiting: (string | null)[][] = []
  #characters = 0
  #done = 0

  constructor(session: OwnerSession, tables: ReadableTable[], options: RestoreOptions) {
    this.#session = session
    this.#tables = tables
    this.#options = options
  }

  async run(records: AsyncIterable<BackupRecord>): Promise<Restored> {
    let end: BackupEnd | undefined
    for await (const record of records) {
      if ('header' in record) demandMigrations(record.header.migrations, await readApplied(this.#session))
      else if ('table' in record) await this.#begin(record.table)
      else if ('row' in record) await this.#take(record.row, record.line.length)
      else end = record.end
    }
    await this.#write()
    if (!end) throw new BackupDamaged('The backup is cut off: its end is missing')
    return this.#finish(end)
  }

  async #begin(table: BackupTable): Promise<void> {
    await this.#write()
    this.#current = this.#tables.find(({ schema, name }) => schema === table.schema && name === table.name)
    this.#done = 0
    if (!this.#current && (await this.#lacksTypeOf(table))) this.#leftOut.add(shownName(table))
    else if (JSON.stringify(this.#current?.columns) !== JSON.stringify(table.columns)) {
      throw new RestoreRefused(`${shownName(table)} is not here as it is in the backup`)
    }
  }

  async #lacksTypeOf({ columns }: BackupTable): Promise<boolean> {
    const { rows } = await this.#session.query(`select bool_or(to_regtype(type) is null) from unnest($1::text[]) type`, [columns.map(({ type }) => type)])
    return rows[0]?.[0] === 't'
  }

  async #take(row: (string | null)[], characters: number): Promise<void> {
    if (!this.#current) return
    this.#waiting.push(row)
    this.#characters += characters
    if (this.#waiting.length >= BATCH.rows || this.#characters >= BATCH.characters) await this.#write()
  }

  async #write(): Promise<void> {
    this.#options.signal?.throwIfAborted()
    const [table, rows] = [this.#current, this.#waiting]
    this.#waiting = []
    this.#characters = 0
    if (!table || rows.length === 0) return
    const columns = table.columns.map(({ name }) => quoteName(name)).join(', ')
    const values = table.columns.map(({ type }, index) => `c${index}::${type}`).join(', ')
    const lists = table.columns.map((_, index) => `$${index + 1}::text[]`).join(', ')
    const names = table.columns.map((_, index) => `c${index}`).join(', ')
    await this.#session.query(
      `insert into ${sqlName(table)} (${columns}) overriding system value select ${values} from unnest(${lists}) row (${names})`,
      table.columns.map((_, index) => rows.map((row) => row[index])),
    )
    this.#done += rows.length
    this.#options.onProgress?.({ table: shownName(table), rows: this.#done })
  }

  async #finish({ tables, sequences }: BackupEnd): Promise<Restored> {
    const restored: Restored = { tables: [], leftOut: [] }
    for (const { schema, name, rows, sha256 } of tables) {
      const table = this.#tables.find((known) => known.schema === schema && known.name === name)
      const told = { table: shownName({ schema, name }), rows }
      if (this.#leftOut.has(told.table)) restored.leftOut.push(told)
      else if (table) {
        await this.#compare(table, sha256)
        restored.tables.push(told)
      }
    }
    // Unlike setval, this is taken back with the transaction.
    for (const { schema, name, next } of sequences) {
      if (!/^-?\d{1,19}$/.test(next)) throw new BackupDamaged('The backup is damaged: a sequence has no number')
      await this.#session.query(`alter sequence if exists ${sqlName({ schema, name })} restart with ${next}`)
    }
    return restored
  }

  async #compare(table: ReadableTable, sha256: string): Promise<void> {
    const printed = printer()
    for await (const page of rowLines(this.#session, table)) {
      this.#options.signal?.throwIfAborted()
      page.forEach(printed.add)
    }
    if (printed.print().sha256 !== sha256) throw new RestoreRefused(`${shownName(table)} does not read back as it stands in the backup`)
  }
}

function demandMigrations(wanted: BackupMigration[], present: BackupMigration[]): void {
  const shown = ({ service, name }: BackupMigration): string => `${service}/migrations/${name}`
  const [there, asked] = [new Map(present.map((one) => [shown(one), one.sha256])), new Map(wanted.map((one) => [shown(one), one.sha256]))]
  const differences = [
    ...wanted.filter((one) => !there.has(shown(one))).map((one) => `the database lacks ${shown(one)}`),
    ...present.filter((one) => !asked.has(shown(one))).map((one) => `the backup lacks ${shown(one)}`),
    ...wanted.filter((one) => there.has(shown(one)) && there.get(shown(one)) !== one.sha256).map((one) => `${shown(one)} is another file`),
  ]
  if (differences.length > 0) throw new RestoreRefused(`The backup is of other migrations: ${differences.join('; ')}`)
}
