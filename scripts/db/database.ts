import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { embeddedSession, serverSession, type OwnerSession } from '@dot-do/worker-data/backup-session'
import { embeddedEngine } from '@dot-do/worker-data/engines/embedded'
import type { Engine } from '@dot-do/worker-data/engines/engine'
import { postgresEngine } from '@dot-do/worker-data/engines/postgres'
import { migrate, type Migrated, type MigrateOptions } from '@dot-do/worker-data/migrations'
import { rolePassword } from '@dot-do/worker-data/role-password'
import { readSecrets } from '@dot-do/worker-local/host/local-configuration'
import { discoverServices } from '@dot-do/worker-local/host/workspace'
import { acquireStateLock, type StateLock } from '@dot-do/worker-local/state-lock'
import { ROOT } from '../root.ts'
import { CommandError, DEFAULT_STATE, UsageError } from './command.ts'

/** A database as its owner sees it, for commands. */
export interface OwnedDatabase {
  /** Without a password, to be shown. */
  name: string
  /** Whether there is a database yet; a server always has one. */
  exists(): Promise<boolean>
  /** Opens a connection; one at a time. */
  session(): Promise<OwnerSession>
  /** Runs the migrations of this workspace. Not while a session is open. */
  migrate(only?: MigrateOptions['only']): Promise<Migrated>
  close(): Promise<void>
}

/** What tells the database apart: a URL, or a state directory, whose embedded database is meant then. */
export interface WhichDatabase {
  databaseUrl: string | undefined
  stateDir: string | undefined
  roleSecret: string | undefined
}

/** The database that the environment and `--state` name. */
export function whichDatabase(stateDir: string | undefined, env = process.env): WhichDatabase {
  const databaseUrl = env['DATABASE_URL'] || undefined
  if (databaseUrl !== undefined && stateDir !== undefined) throw new UsageError('DATABASE_URL names one database and --state another: unset one of them')
  return { databaseUrl, stateDir, roleSecret: env['DB_ROLE_SECRET'] || undefined }
}

/** Opens the database that is meant. The embedded one is locked until close, so that `pnpm dev` and this command never have it at once. */
export async function openOwned({ databaseUrl, stateDir = DEFAULT_STATE, roleSecret }: WhichDatabase, mode: 'existing' | 'new'): Promise<OwnedDatabase> {
  return databaseUrl === undefined ? openEmbedded(stateDir, mode) : openServer(databaseUrl, roleSecret)
}

async function openServer(url: string, roleSecret: string | undefined): Promise<OwnedDatabase> {
  return {
    name: shownUrl(url),
    exists: async () => true,
    session: () => serverSession(url),
    async migrate(only) {
      if (roleSecret === undefined)
        throw new CommandError('DB_ROLE_SECRET is missing: the passwords of the services’ roles are derived from it; it is the same that db has')
      return migrateWith(postgresEngine({ url, passwordOf: (role) => rolePassword(roleSecret, role) }), roleSecret, only)
    },
    close: async () => undefined,
  }
}

async function openEmbedded(stateDir: string, mode: 'existing' | 'new'): Promise<OwnedDatabase> {
  const dir = join(stateDir, 'database')
  const exists = (): Promise<boolean> =>
    stat(join(dir, 'filled')).then(
      () => true,
      () => false,
    )
  if (mode === 'existing' && !(await exists()))
    throw new CommandError(`There is no database in ${stateDir}; name another directory with --state, or a PostgreSQL with DATABASE_URL`)
  const locks = await lockState(stateDir, dir)
  return {
    name: dir,
    exists,
    session: () => embeddedSession(dir),
    async migrate(only) {
      const { DB_ROLE_SECRET: secret = '' } = await readSecrets(stateDir)
      return migrateWith(await embeddedEngine({ dir }), secret, only)
    },
    close: async () => locks.forEach((lock) => lock.release()),
  }
}

/** Takes the directory first, since its holder is `pnpm dev` itself, whose process id people can end; the database's is a child of that. */
async function lockState(stateDir: string, dir: string): Promise<StateLock[]> {
  const locks: StateLock[] = []
  try {
    locks.push(await acquireStateLock(stateDir))
    locks.push(await acquireStateLock(dir))
    return locks
  } catch (error) {
    for (const lock of locks) lock.release()
    const message = error instanceof Error ? error.message : String(error)
    throw new CommandError(`${message}: the embedded database has one user at a time, so end \`pnpm dev\` first`, { cause: error })
  }
}

async function migrateWith(engine: Engine, roleSecret: string, only: MigrateOptions['only']): Promise<Migrated> {
  try {
    return await migrate(engine, await discoverServices(ROOT), { roleSecret, ...(only && { only }) })
  } finally {
    await engine.close()
  }
}

/** A database's URL without what must not be shown. */
export function shownUrl(url: string): string {
  if (!URL.canParse(url)) return 'DATABASE_URL'
  const { protocol, host, pathname } = new URL(url)
  return `${protocol}//${host}${pathname}`
}
