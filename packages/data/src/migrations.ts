import { createHash } from 'node:crypto'
import { DatabaseError } from './engines/engine.ts'
import type { Engine } from './engines/engine.ts'
import { quoteText } from './engines/values.ts'
import { readMigrations } from './migration-files.ts'
import type { MigratedService, MigrationFile } from './migration-files.ts'
import { rolePassword } from './role-password.ts'
import { commonStatements, readerRoleStatements, rolesOf, serviceRoleStatements } from './roles.ts'

/** What migrate did: the files it ran, in order. */
export interface Migrated {
  applied: { service: string; name: string }[]
}

/** Says that an applied migration was changed or removed. Nothing has run; put the file back, and write a new one for the change. */
export class MigrationDrift extends Error {
  override readonly name = 'MigrationDrift'
}

/** An arbitrary number that means "someone migrates" in pg_advisory_xact_lock. */
export const lockKey = 4_873_951_206

const platformStatements = `
select pg_advisory_xact_lock(${lockKey});
${commonStatements}
create table if not exists platform.migrations (
  service text not null, name text not null, sha256 text not null, applied_at timestamptz not null default now(), primary key (service, name));
create table if not exists platform.roles (service text primary key, sha256 text not null);
`

/** How a database is migrated. */
export interface MigrateOptions {
  /** The roles' passwords are derived from it. */
  roleSecret: string
  /** Which of the files that are new may run; all unless told. */
  only?: (file: Pick<MigrationFile, 'service' | 'name'>) => boolean
}

/**
 * Brings every service's roles and tables to what its folder says; one query when there is nothing to do.
 * Each file runs in one transaction together with its row in `platform.migrations`, under one advisory lock. Two at once are safe: the row is written first, so who
 * comes second finds it, runs nothing, and goes on. A file that fails leaves those before it applied, and its own work undone.
 */
export async function migrate(engine: Engine, services: readonly MigratedService[], { roleSecret, only = () => true }: MigrateOptions): Promise<Migrated> {
  const files = (await Promise.all(services.map(readMigrations))).flat()
  const done = await recorded(engine)
  refuseDrift(files, services, done.migrations)
  if (!done.isPrepared) await engine.script(platformStatements)
  for (const { name } of services) await prepareRoles(engine, name, { roleSecret, known: done.roles.get(name) })
  const applied: Migrated['applied'] = []
  for (const file of files) {
    if (done.migrations.has(keyOf(file)) || !only(file)) continue
    if (await apply(engine, file)) applied.push({ service: file.service, name: file.name })
  }
  return { applied }
}

const keyOf = ({ service, name }: { service: string; name: string }): string => `${service}/migrations/${name}`

interface Recorded {
  isPrepared: boolean
  migrations: Map<string, string>
  roles: Map<string, string>
}

async function recorded(engine: Engine): Promise<Recorded> {
  const sql = `select 'migration', service, name, sha256 from platform.migrations union all select 'role', service, '', sha256 from platform.roles`
  const migrations = new Map<string, string>()
  const roles = new Map<string, string>()
  try {
    const [result] = await engine.batch(null, [{ sql, params: [] }])
    for (const [kind, service, name, sha256] of result?.rows ?? []) {
      if (kind === 'role') roles.set(service ?? '', sha256 ?? '')
      else migrations.set(keyOf({ service: service ?? '', name: name ?? '' }), sha256 ?? '')
    }
    return { isPrepared: true, migrations, roles }
  } catch (error) {
    // 42P01: no such table, 3F000: no such schema. This database is new.
    if (error instanceof DatabaseError && (error.code === '42P01' || error.code === '3F000')) return { isPrepared: false, migrations, roles }
    throw error
  }
}

/** Services that are not among those asked for are left alone: their folders may be elsewhere. */
function refuseDrift(files: readonly MigrationFile[], services: readonly MigratedService[], done: ReadonlyMap<string, string>): void {
  const present = new Map(files.map((file) => [keyOf(file), file.sha256]))
  const drift: string[] = []
  for (const [key, sha256] of done) {
    if (!services.some(({ name }) => key.startsWith(`${name}/`))) continue
    const now = present.get(key)
    if (now === undefined) drift.push(`${key} was applied and is gone`)
    else if (now !== sha256) drift.push(`${key} was changed after it was applied`)
  }
  if (drift.length > 0) throw new MigrationDrift(`Migrations do not match the database: ${drift.join('; ')}`)
}

/** Roles are made again when their SQL has changed, which a new secret does too. */
async function prepareRoles(engine: Engine, service: string, { roleSecret, known }: { roleSecret: string; known: string | undefined }): Promise<void> {
  const [own = '', reader] = await Promise.all(rolesOf(service).map((role) => rolePassword(roleSecret, role)))
  const sql = serviceRoleStatements(service, own) + (reader === undefined ? '' : readerRoleStatements(service, reader))
  const sha256 = createHash('sha256').update(sql).digest('hex')
  if (sha256 === known) return
  await engine.script(`
select pg_advisory_xact_lock(${lockKey});
${sql}
insert into platform.roles (service, sha256) values (${quoteText(service)}, '${sha256}') on conflict (service) do update set sha256 = excluded.sha256;
`)
}

/** False when another process applied the same file meanwhile. */
async function apply(engine: Engine, { service, name, sql, sha256 }: MigrationFile): Promise<boolean> {
  try {
    await engine.script(`
select pg_advisory_xact_lock(${lockKey});
insert into platform.migrations (service, name, sha256) values (${quoteText(service)}, ${quoteText(name)}, '${sha256}');
${sql}
`)
    return true
  } catch (error) {
    if (error instanceof DatabaseError && error.fields.constraint === 'migrations_pkey' && error.fields.schema === 'platform') return false
    throw new Error(`${service}/migrations/${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}
