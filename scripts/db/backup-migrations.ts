import { readApplied } from '@dot-do/worker-data/backup'
import type { BackupHeader, BackupMigration } from '@dot-do/worker-data/backup-format'
import { readMigrations } from '@dot-do/worker-data/migration-files'
import { isOccupied } from '@dot-do/worker-data/restore'
import { discoverServices } from '@dot-do/worker-local/host/workspace'
import { ROOT } from '../root.ts'
import { CommandError } from './command.ts'
import type { OwnedDatabase } from './database.ts'

const keyOf = ({ service, name }: Pick<BackupMigration, 'service' | 'name'>): string => `${service}/migrations/${name}`

/**
 * Brings a database that has no rows to the migrations of a backup, and no further, so that an older backup comes back into the tables it was made of.
 * True if it ran any: then those that came later are still to be run. A database that has rows, or other migrations, is left for the restoration to judge.
 */
export async function migrateAs({ migrations }: BackupHeader, database: OwnedDatabase): Promise<boolean> {
  const wanted = new Map(migrations.map((migration) => [keyOf(migration), migration.sha256]))
  const present = await presentIn(database)
  if (present.isOccupied || present.migrations.length === wanted.size) return false
  if (present.migrations.some((migration) => wanted.get(keyOf(migration)) !== migration.sha256)) return false
  await demandPresent(wanted)
  const { applied } = await database.migrate((file) => wanted.has(keyOf(file)))
  return applied.length > 0
}

async function presentIn(database: OwnedDatabase): Promise<{ migrations: BackupMigration[]; isOccupied: boolean }> {
  const empty = { migrations: [], isOccupied: false }
  if (!(await database.exists())) return empty
  const session = await database.session()
  try {
    const { rows } = await session.query(`select to_regclass('platform.migrations') is not null`)
    return rows[0]?.[0] === 't' ? { migrations: await readApplied(session), isOccupied: await isOccupied(session) } : empty
  } finally {
    await session.close()
  }
}

/** The workspace must still hold the backup's migrations as they were when they ran. */
async function demandPresent(wanted: ReadonlyMap<string, string>): Promise<void> {
  const files = (await Promise.all((await discoverServices(ROOT)).map(readMigrations))).flat()
  const held = new Map(files.map((file) => [keyOf(file), file.sha256]))
  const missing = [...wanted].flatMap(([key, sha256]) =>
    held.get(key) === sha256 ? [] : [`${key} is ${held.has(key) ? 'another file' : 'not in this workspace'}`],
  )
  if (missing.length > 0) throw new CommandError(`The backup is of other migrations: ${missing.join('; ')}`)
}
