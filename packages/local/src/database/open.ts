import { postgresEngine } from '@dot-do/worker-data/engines/postgres'
import type { MigratedService } from '@dot-do/worker-data/migration-files'
import { migrate } from '@dot-do/worker-data/migrations'
import type { Migrated } from '@dot-do/worker-data/migrations'
import { rolePassword } from '@dot-do/worker-data/role-password'
import { startEmbeddedProcess } from './embedded-process.ts'
import { startDatabaseServer } from './server.ts'

/** Which database to open, and for whom. */
export interface OpenDatabaseOptions {
  /** Where the embedded database keeps its rows; made if absent. */
  dir: string
  /** A PostgreSQL to use instead; its user becomes the owner of all schemas. */
  databaseUrl?: string | undefined
  /** The passwords of the services' roles are derived from it. */
  roleSecret: string
  services: readonly MigratedService[]
  onLog?: (line: string) => void
  /** How long one query may hold the embedded database before it is killed and opened again. */
  queryLimitMs?: number
  /** The time at which the embedded database's clock is to stand, in milliseconds since 1970; the machine's clock unless told. */
  now?: number | undefined
}

/** A migrated database behind a Neon-compatible endpoint. */
export interface OpenedDatabase {
  /** `http://127.0.0.1:<port>`; queries go to `/sql` under it, WebSockets to `/v2`. */
  url: string
  /** Where PostgreSQL's own protocol is spoken over TCP, and which database it is: `postgres://host:port/name`, without user and password. */
  postgresUrl: string
  engine: 'embedded' | 'postgres'
  /** Applies these services' new migrations and lets their roles connect, while queries go on. Fails for a file that was changed after it had been applied. */
  migrate(services: readonly MigratedService[]): Promise<void>
  /** Sets the embedded database's clock, which stands still from then on. Another PostgreSQL goes by its machine's. */
  turn(now: number): Promise<void>
  /** Ends the server and, if it is the embedded one, the database's process. */
  close(): Promise<void>
}

/**
 * Opens the database of one machine, migrated and served: the embedded one in a process of its own, or any PostgreSQL by URL.
 * Fails, naming the process, when another one has the directory; with MigrationDrift's message when an applied migration was changed.
 */
export async function openDatabase(options: OpenDatabaseOptions): Promise<OpenedDatabase> {
  const { databaseUrl } = options
  return databaseUrl === undefined || databaseUrl === '' ? openEmbedded(options) : openServer(options, databaseUrl)
}

async function openEmbedded({ dir, roleSecret, services, onLog = silent, queryLimitMs = 10_000, now }: OpenDatabaseOptions): Promise<OpenedDatabase> {
  const embedded = await startEmbeddedProcess({ dir, roleSecret, services, onLog, queryLimitMs, now })
  announce(embedded, onLog)
  return {
    url: urlOf(embedded.port),
    postgresUrl: `postgres://127.0.0.1:${embedded.postgresPort}/platform`,
    engine: 'embedded',
    migrate: async (asked) => announce(await embedded.migrate(asked), onLog),
    turn: embedded.turn,
    close: embedded.close,
  }
}

async function openServer({ roleSecret, services, onLog = silent }: OpenDatabaseOptions, url: string): Promise<OpenedDatabase> {
  const engine = postgresEngine({ url, passwordOf: (role) => rolePassword(roleSecret, role) })
  try {
    announce(await migrate(engine, services, { roleSecret }), onLog)
    const server = await startDatabaseServer({ engine, roleSecret, services, upstreamUrl: url })
    return {
      url: urlOf(server.port),
      postgresUrl: withoutCredentials(url),
      engine: 'postgres',
      migrate: async (asked) => {
        announce(await migrate(engine, asked, { roleSecret }), onLog)
        await server.admit(asked)
      },
      turn: async () => {},
      close: async () => {
        await server.close()
        await engine.close()
      },
    }
  } catch (error) {
    await engine.close()
    throw error
  }
}

const silent = (): void => undefined

function announce({ applied }: Migrated, onLog: (line: string) => void): void {
  for (const { service, name } of applied) onLog(`migrated ${service}: ${name}`)
}

function withoutCredentials(url: string): string {
  const address = new URL(url)
  address.username = ''
  address.password = ''
  return address.href
}

const urlOf = (port: number): string => `http://127.0.0.1:${port}`
