import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { PlatformListener } from './events.ts'
import { DATABASE_SERVICE, type Secrets } from './local-configuration.ts'
import { discoverServices, type WorkspaceService } from './workspace.ts'

/** The database as the host uses it. */
export interface LocalDatabase {
  /** Where it answers over HTTP. */
  url: string
  /** Where PostgreSQL's own protocol is spoken, and which database it is, without user and password. */
  postgresUrl: string
  engine: string
  /** Applies the migrations that came since it was opened, and admits the services that did. Fails for one that fails, or that was changed after it had been applied. */
  migrate(): Promise<void>
  /** Sets its clock, where it is the embedded one, which stands still from then on. */
  turn(now: number): Promise<void>
  close(): Promise<void>
}

interface Settings {
  root: string
  stateDir: string
  secrets: Secrets
  databaseUrl?: string
  /** The time at which its clock is to stand; the machine's clock unless told. */
  now?: number | undefined
  onEvent: PlatformListener
}

/** Opens the database of a state directory, migrated, or the one that `databaseUrl` names. None in a workspace that has no service for it. */
export async function openLocalDatabase({ root, stateDir, secrets, databaseUrl, now, onEvent }: Settings): Promise<LocalDatabase | undefined> {
  const services = await discoverServices(root)
  if (!services.some(({ name }) => name === DATABASE_SERVICE)) return undefined
  const { openDatabase } = await import('../database/open.ts')
  const { url, postgresUrl, engine, migrate, turn, close } = await openDatabase({
    dir: join(stateDir, 'database'),
    databaseUrl,
    roleSecret: secrets['DB_ROLE_SECRET'] ?? '',
    services,
    now,
    onLog: (message) => onEvent({ type: 'notice', message }),
  })
  let applied = await printOf(services)
  return {
    url,
    postgresUrl,
    engine,
    turn,
    close,
    async migrate() {
      const found = await discoverServices(root)
      const print = await printOf(found)
      if (print !== applied) await migrate(found)
      applied = print
    },
  }
}

/** Differs when a service joined or left, or a migration was added, changed or removed. */
async function printOf(services: WorkspaceService[]): Promise<string> {
  const folders = services.map(async ({ name, folder }) => {
    const migrations = join(folder, 'migrations')
    const files = await readdir(migrations).catch(() => [])
    return [name, await Promise.all(files.sort().map(async (file) => [file, (await stat(join(migrations, file))).mtimeMs]))]
  })
  return JSON.stringify(await Promise.all(folders))
}
