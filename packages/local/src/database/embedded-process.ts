import type { Migrated } from '@dot-do/worker-data/migrations'
import type { MigratedService } from '@dot-do/worker-data/migration-files'
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { ChildOptions, ChildReport, ChildRequest } from './child.ts'

/** How the embedded database is run; `onLog` gets one line at a time. */
export type EmbeddedProcessOptions = Omit<ChildOptions, 'port' | 'postgresPort'> & { onLog: (line: string) => void }

/** The embedded database in a process of its own. */
export interface EmbeddedProcess {
  port: number
  postgresPort: number
  applied: Migrated['applied']
  /** The present child's; it changes when the database had to be opened again. */
  pid(): number | undefined
  /** Migrates and admits these services, also in a child opened later. */
  migrate(services: readonly MigratedService[]): Promise<Migrated>
  /** Sets its clock, which stands still from then on, also in a child opened later. */
  turn(now: number): Promise<void>
  close(): Promise<void>
}

const startAttempts = 3
const stopLimitMs = 5_000

/**
 * Runs the embedded database in a child process, where a query that never ends can be killed without harm to anyone else. It serves its clients itself, so nothing passes
 * through here. When it ends unasked, it is opened again on the same ports; three starts in a row that fail are the end. Requests in flight at that moment fail.
 */
export async function startEmbeddedProcess({ onLog, ...options }: EmbeddedProcessOptions): Promise<EmbeddedProcess> {
  let isClosing = false
  let reopening: Promise<void> | undefined
  const { applied, child: first, ...ports } = await start({ ...options, port: 0, postgresPort: 0 }, onLog)
  let child = first
  let current: ChildOptions = { ...options, ...ports }
  const reopen = async (): Promise<void> => {
    const next = await startAgain(() => (isClosing ? undefined : current), onLog)
    if (!next) return
    child = next
    watch()
    onLog('the database is open again')
  }
  const watch = (): void => {
    child.once('exit', () => {
      if (!isClosing) reopening = reopen()
    })
  }
  watch()
  return {
    ...ports,
    applied,
    pid: () => child.pid,
    migrate: async (asked) => {
      const report = opened(await ask(child, { migrate: asked }))
      current = { ...current, services: asked }
      return report
    },
    turn: async (now) => {
      current = { ...current, now }
      await reopening
      await ask(child, { turn: now })
    },
    close: async () => {
      isClosing = true
      await reopening
      await stop(child)
    },
  }
}

/** Tries three times, with the options as they are each time, until there are none any more. */
async function startAgain(options: () => ChildOptions | undefined, onLog: (line: string) => void): Promise<ChildProcess | undefined> {
  for (let attempt = 1; attempt <= startAttempts; attempt++) {
    const current = options()
    if (!current) return undefined
    try {
      return (await start(current, onLog)).child
    } catch (error) {
      onLog(`the database does not open: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return undefined
}

type Answer = Exclude<ChildReport, { failed: string }>
type Opened = Exclude<Answer, { turned: number }>

async function start(options: ChildOptions, onLog: (line: string) => void): Promise<Opened & { child: ChildProcess }> {
  const child = fork(fileURLToPath(new URL('./child.ts', import.meta.url)), {
    execPath: process.execPath,
    // node:sqlite, which holds the lock, still counts as experimental. Options of this process, such as a test runner's, are not the child's.
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => chunk.toString().trim().split('\n').forEach(onLog))
  try {
    return { ...opened(await ask(child, { open: options })), child }
  } catch (error) {
    await stop(child)
    throw error
  }
}

/** That of a child which has the database open. */
function opened(answer: Answer): Opened {
  if ('turned' in answer) throw new Error('The database process answered another question')
  return answer
}

/** Sends a request and waits for its answer; the clock may be set while the database is migrated. Fails with the child's own message, or when it ends without one. */
function ask(child: ChildProcess, request: ChildRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const settle = (report: ChildReport): void => {
      if ('turned' in report !== 'turn' in request) return
      child.off('message', settle)
      child.off('exit', fail)
      child.off('error', reject)
      if ('failed' in report) reject(new Error(report.failed))
      else resolve(report)
    }
    const fail = (code: number | null, signal: string | null): void => {
      child.off('message', settle)
      reject(new Error(`The database process ended with ${signal ?? code} before it answered`))
    }
    child.on('message', settle)
    child.once('exit', fail)
    child.once('error', reject)
    if (child.connected) child.send(request)
  })
}

/** Asks the child to close its files, and kills it when it does not within five seconds. Nothing acknowledged is lost either way. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), stopLimitMs)
    child.once('exit', () => {
      clearTimeout(timer)
      resolve()
    })
    if (child.connected) child.send({ stop: true } satisfies ChildRequest)
  })
}
