import { embeddedEngine } from '@dot-do/worker-data/engines/embedded'
import type { EmbeddedEngine } from '@dot-do/worker-data/engines/embedded'
import { migrate } from '@dot-do/worker-data/migrations'
import type { Migrated } from '@dot-do/worker-data/migrations'
import type { MigratedService } from '@dot-do/worker-data/migration-files'
import { setTimeout as delay } from 'node:timers/promises'
import { installStandingDate } from '../clock/standing-date.ts'
import { acquireStateLock } from '../state-lock.ts'
import type { StateLock } from '../state-lock.ts'
import { watchFromOutside } from './child-heart.ts'
import type { Watch } from './child-heart.ts'
import { startDatabaseServer } from './server.ts'
import type { DatabaseServer } from './server.ts'

/** What the child needs to open the database. */
export interface ChildOptions {
  dir: string
  roleSecret: string
  services: readonly MigratedService[]
  port: number
  postgresPort: number
  queryLimitMs: number
  /** The time at which this process's clock is to stand; the machine's clock unless told. */
  now?: number | undefined
}

/** What the parent asks of the child, one at a time. */
export type ChildRequest = { open: ChildOptions } | { migrate: readonly MigratedService[] } | { turn: number } | { stop: true }

/** What the child answers to each; `stop` is answered by its exit. */
export type ChildReport = ({ port: number; postgresPort: number } & Migrated) | { turned: number } | { failed: string }

interface Opened {
  lock: StateLock
  engine: EmbeddedEngine
  server: DatabaseServer
  watch: Watch
  options: ChildOptions
}

let opened: Opened | undefined
let setTime: ((now: number) => void) | undefined

async function open(options: ChildOptions): Promise<ChildReport> {
  if (options.now !== undefined) turn(options.now)
  const lock = await lockPatiently(options.dir)
  const engine = await embeddedEngine({ dir: options.dir })
  const migrated = await migrate(engine, options.services, options)
  const { services, roleSecret, port, postgresPort } = options
  const server = await startDatabaseServer({ engine, services, roleSecret, port, postgresPort })
  opened = { lock, engine, server, watch: watchFromOutside(options.queryLimitMs), options }
  return { port: server.port, postgresPort: server.postgresPort, ...migrated }
}

/** A child whose parent was just killed needs a moment to end: the lock is asked for twenty times in two seconds. */
async function lockPatiently(dir: string): Promise<StateLock> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await acquireStateLock(dir)
    } catch (error) {
      if (attempt === 20) throw error
      await delay(100)
    }
  }
}

async function migrateAgain(services: readonly MigratedService[]): Promise<ChildReport> {
  if (!opened) throw new Error('The database is not open')
  const { engine, server, watch, options } = opened
  watch.pause()
  try {
    const migrated = await migrate(engine, services, options)
    await server.admit(services)
    return { port: server.port, postgresPort: server.postgresPort, ...migrated }
  } finally {
    watch.resume()
  }
}

/** PGlite asks `Date` what time it is. */
function turn(now: number): ChildReport {
  setTime ??= installStandingDate(now)
  setTime(now)
  return { turned: now }
}

async function stop(): Promise<never> {
  await opened?.server.close()
  await opened?.engine.close()
  opened?.lock.release()
  process.exit(0)
}

function reply(work: Promise<ChildReport>): void {
  void work
    .catch((error: unknown): ChildReport => ({ failed: error instanceof Error ? error.message : String(error) }))
    .then((report) => process.send?.(report))
}

// Ctrl-C reaches every process of the terminal; the parent decides when the database stops.
process.on('SIGINT', () => undefined)
process.on('SIGTERM', stop)
process.on('disconnect', stop)
process.on('message', (request: ChildRequest) => {
  if ('open' in request) reply(open(request.open))
  else if ('migrate' in request) reply(migrateAgain(request.migrate))
  else if ('turn' in request) process.send?.(turn(request.turn))
  else void stop()
})
