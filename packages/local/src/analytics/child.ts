import { setTimeout as delay } from 'node:timers/promises'
import type { ChildReport, ChildRequest } from '../kept-process.ts'
import { acquireStateLock } from '../state-lock.ts'
import type { StateLock } from '../state-lock.ts'
import { openEngine } from './engine.ts'
import type { Engine, EngineOptions } from './engine.ts'
import { startAnalyticsServer } from './server.ts'
import type { AnalyticsServer, AnalyticsServerOptions } from './server.ts'

/** What the child needs to open the analytics. */
export type ChildOptions = EngineOptions & Pick<AnalyticsServerOptions, 'users'>

interface Opened {
  lock: StateLock
  engine: Engine
  server: AnalyticsServer
}

const closeLimitMs = 4_000

let opened: Opened | undefined

async function open({ port, users, ...options }: ChildOptions & { port: number }): Promise<ChildReport> {
  const lock = await lockPatiently(options.dir)
  const engine = await openEngine(options)
  const server = await startAnalyticsServer({ engine, users, port })
  opened = { lock, engine, server }
  return { port: server.port }
}

/** A child whose parent was just killed needs a moment to end: the lock is asked for fifty times in five seconds. */
async function lockPatiently(dir: string): Promise<StateLock> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await acquireStateLock(dir)
    } catch (error) {
      if (attempt === 50) throw error
      await delay(100)
    }
  }
}

/** What runs may end, within a limit: a query cannot be interrupted, and rows that were acknowledged are written. */
async function stop(): Promise<never> {
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), closeLimitMs)
  await opened?.server.close()
  await opened?.engine.close()
  opened?.lock.release()
  process.exit(0)
}

// Ctrl-C reaches every process of the terminal; the parent decides when the analytics stop.
process.on('SIGINT', () => undefined)
process.on('SIGTERM', stop)
// The parent is gone, in whatever way. Queries run in threads of their own, so this is noticed at any time.
process.on('disconnect', stop)
process.on('message', (request: ChildRequest<ChildOptions>) => {
  if ('stop' in request) return void stop()
  void open(request.open)
    .catch((error: unknown): ChildReport => ({ failed: error instanceof Error ? error.message : String(error) }))
    .then((report) => process.send?.(report))
})
