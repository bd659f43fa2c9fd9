import { createHash } from 'node:crypto'
import { FORMAT, type BackupEnd, type BackupHeader } from '@dot-do/worker-data/backup-format'
import { connectionAs } from '../database.ts'
import type { Env } from '../env.ts'
import { servicePages, type OpenSession } from './service-pages.ts'

/** What came of a copy. */
export interface Copied {
  rows: number
  services: string[]
}

/**
 * The text of a backup as `pnpm db:restore` reads it, in pieces. One service is copied after another: each is of one moment, and on the embedded engine keeps others from the
 * database only for so long as its own copy takes. Memory is bounded by a page of rows.
 */
export async function* backupText(at: string, env: Env, open: OpenSession): AsyncGenerator<string, Copied> {
  const hash = createHash('sha256')
  const piece = (lines: readonly string[]): string => {
    const text = `${lines.join('\n')}\n`
    hash.update(text)
    return text
  }
  const { header, services } = await readHeader(at, env)
  yield piece([JSON.stringify({ ...FORMAT, ...header })])
  const end: BackupEnd = { tables: [], sequences: [] }
  for (const service of services) {
    const pages = servicePages(service, open)
    try {
      let next = await pages.next()
      for (; !next.done; next = await pages.next()) yield piece(next.value)
      end.tables.push(...next.value.tables)
      end.sequences.push(...next.value.sequences)
    } finally {
      // Whoever wants no more leaves no transaction open.
      await pages.return({ tables: [], sequences: [] })
    }
  }
  yield piece([JSON.stringify({ end })])
  yield `${JSON.stringify({ sha256: hash.digest('hex') })}\n`
  return { rows: end.tables.reduce((total, { rows }) => total + rows, 0), services }
}

async function readHeader(at: string, env: Env): Promise<{ header: BackupHeader; services: string[] }> {
  const connection = await connectionAs('db', env)
  const [version, migrations, names] = await connection([
    { sql: 'select version()', params: [] },
    { sql: 'select service, name, sha256 from db.applied_migrations order by service collate "C", name collate "C"', params: [] },
    { sql: 'select name from db.services order by name collate "C"', params: [] },
  ])
  const applied = (migrations?.rows ?? []).map(([service, name, sha256]) => ({ service: String(service), name: String(name), sha256: String(sha256) }))
  return { header: { at, engine: String(version?.rows[0]?.[0]), migrations: applied }, services: (names?.rows ?? []).map(([name]) => String(name)) }
}
