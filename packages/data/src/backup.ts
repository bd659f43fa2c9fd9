import { FORMAT, sealed } from './backup-format.ts'
import type { BackupEnd, BackupHeader, BackupMigration, BackupSequence } from './backup-format.ts'
import type { OwnerSession } from './backup-session.ts'
import { beginCopy, printer, readTables, rowLines, shownName, sqlName } from './backup-tables.ts'
import { DatabaseError } from './engines/engine.ts'

/** How a copy gets on: so many rows of a table are done. */
export type Progress = (at: { table: string; rows: number }) => void

/** Why a copy ends early, and who is told how it gets on. */
export interface CopyOptions {
  onProgress?: Progress
  signal?: AbortSignal
}

/**
 * Everything the platform keeps in a database as lines of JSON: the tables of every service as they are at one moment, whoever writes meanwhile, and the sequences.
 * Roles and functions are not in it: migrations make them. Memory is bounded by a page of rows.
 */
export function backupLines(session: OwnerSession, { at, ...options }: CopyOptions & { at: string }): AsyncGenerator<string> {
  return sealed(openLines(session, { at, ...options }))
}

async function* openLines(session: OwnerSession, { at, onProgress, signal }: CopyOptions & { at: string }): AsyncGenerator<string> {
  await beginCopy(session, 'read')
  const header: BackupHeader = { at, engine: await engineOf(session), migrations: await readApplied(session) }
  yield JSON.stringify({ ...FORMAT, ...header })
  const tables: BackupEnd['tables'] = []
  for (const table of await readTables(session)) {
    const { schema, name, columns } = table
    yield JSON.stringify({ table: { schema, name, columns } })
    const printed = printer()
    let rows = 0
    for await (const page of rowLines(session, table)) {
      signal?.throwIfAborted()
      page.forEach(printed.add)
      yield* page
      rows += page.length
      onProgress?.({ table: shownName(table), rows })
    }
    tables.push({ schema, name, ...printed.print() })
  }
  // Sequences are not part of the snapshot. Read last, they are past every row that is in it.
  const end: BackupEnd = { tables, sequences: await readSequences(session) }
  await session.query('commit')
  yield JSON.stringify({ end })
}

async function engineOf(session: OwnerSession): Promise<string> {
  const { rows } = await session.query('select version()')
  return rows[0]?.[0] ?? ''
}

/** The migrations a database has run, by service and number. Fails where there are none, since then there is nothing to copy, or nowhere to. */
export async function readApplied(session: OwnerSession): Promise<BackupMigration[]> {
  try {
    const { rows } = await session.query('select service, name, sha256 from platform.migrations order by service collate "C", name collate "C"')
    return rows.map(([service = '', name = '', sha256 = '']) => ({ service: service ?? '', name: name ?? '', sha256: sha256 ?? '' }))
  } catch (error) {
    const isMissing = error instanceof DatabaseError && (error.code === '42P01' || error.code === '3F000')
    throw isMissing ? new Error('This database was never migrated', { cause: error }) : error
  }
}

/** The sequences of every service, and the number each gives next. */
async function readSequences(session: OwnerSession): Promise<BackupSequence[]> {
  const { rows } = await session.query(`
    select n.nspname, c.relname, s.seqincrement from pg_sequence s join pg_class c on c.oid = s.seqrelid join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in (select service from platform.roles) order by n.nspname collate "C", c.relname collate "C"`)
  const sequences: BackupSequence[] = []
  for (const [schema, name, increment] of rows) {
    if (typeof schema !== 'string' || typeof name !== 'string') continue
    const sql = `select last_value + case when is_called then $1::bigint else 0 end from ${sqlName({ schema, name })}`
    const { rows: values } = await session.query(sql, [increment])
    sequences.push({ schema, name, next: values[0]?.[0] ?? '1' })
  }
  return sequences
}
