import { FORMAT, sealed } from './backup-format.ts'
import type { BackupEnd, BackupHeader, BackupMigration } from './backup-format.ts'
import type { OwnerSession } from './backup-session.ts'
import { beginCopy, readSequences, readTables, rowLines, shownName, tablePages } from './backup-tables.ts'
import type { BackupTable } from './backup-tables.ts'
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

async function* openLines(session: OwnerSession, { at, ...options }: CopyOptions & { at: string }): AsyncGenerator<string> {
  await beginCopy(session, 'read')
  const header: BackupHeader = { at, engine: await engineOf(session), migrations: await readApplied(session) }
  yield JSON.stringify({ ...FORMAT, ...header })
  const tables: BackupEnd['tables'] = []
  for (const table of await readTables(session)) {
    const pages = tablePages(table, watched(rowLines(session, table), table, options))
    let next = await pages.next()
    for (; !next.done; next = await pages.next()) yield* next.value
    tables.push(next.value)
  }
  const end: BackupEnd = { tables, sequences: await readSequences(session) }
  await session.query('commit')
  yield JSON.stringify({ end })
}

/** The same pages, with a look at who wants no more and a word to who watches. */
async function* watched(pages: AsyncIterable<string[]>, table: BackupTable, { onProgress, signal }: CopyOptions): AsyncGenerator<string[]> {
  let rows = 0
  for await (const page of pages) {
    signal?.throwIfAborted()
    yield page
    rows += page.length
    onProgress?.({ table: shownName(table), rows })
  }
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
