import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'

/** What a child process answers to a request; `stop` is answered by its exit. */
export type ChildReport = { port: number } | { failed: string }

/** What the parent asks of the child, one at a time. */
export type ChildRequest<Options> = { open: Options & { port: number } } | { stop: true }

/** Which program to keep running, and what to tell it. */
export interface KeptProcessOptions<Options> {
  /** The child's module. */
  module: URL
  options: Options
  /** What it is called in lines of the log: `the database`. */
  name: string
  /** Environment variables beyond this process's own. */
  env?: Record<string, string>
  onLog: (line: string) => void
}

/** A server in a process of its own. */
export interface KeptProcess {
  port: number
  /** The present child's; it changes when the server had to be opened again. */
  pid(): number | undefined
  close(): Promise<void>
}

const startAttempts = 3
const stopLimitMs = 5_000

/**
 * Runs a server in a child process, where what blocks it can be killed without harm to anyone else. Requests go to it directly, nothing passes through here. When it
 * ends unasked, it is opened again on the same port; three starts in a row that fail are the end. Requests in flight at that moment fail.
 */
export async function keepProcess<Options>(kept: KeptProcessOptions<Options>): Promise<KeptProcess> {
  let isClosing = false
  let reopening: Promise<void> | undefined
  const first = await start(kept, 0)
  const { port } = first
  let { child } = first
  const reopen = async (): Promise<void> => {
    for (let attempt = 1; attempt <= startAttempts && !isClosing; attempt++) {
      try {
        child = (await start(kept, port)).child
        watch()
        return kept.onLog(`${kept.name} is open again`)
      } catch (error) {
        kept.onLog(`${kept.name} does not open: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
  }
  const watch = (): void => {
    child.once('exit', () => {
      if (!isClosing) reopening = reopen()
    })
  }
  watch()
  return {
    port,
    pid: () => child.pid,
    close: async () => {
      isClosing = true
      await reopening
      await stop(child)
    },
  }
}

async function start<Options>({ module, options, env, onLog }: KeptProcessOptions<Options>, port: number): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(module, {
    execPath: process.execPath,
    // node:sqlite, which holds the lock, still counts as experimental. Options of this process, such as a test runner's, are not the child's.
    execArgv: ['--disable-warning=ExperimentalWarning'],
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => chunk.toString().trim().split('\n').forEach(onLog))
  try {
    return { child, port: await ask(child, { open: { ...options, port } }) }
  } catch (error) {
    await stop(child)
    throw error
  }
}

/** Sends a request and waits for its answer, the port. Fails with the child's own message, or when it ends without one. */
function ask(child: ChildProcess, request: ChildRequest<object>): Promise<number> {
  return new Promise((resolve, reject) => {
    const settle = (report: ChildReport): void => {
      child.off('exit', fail)
      if ('failed' in report) reject(new Error(report.failed))
      else resolve(report.port)
    }
    const fail = (code: number | null, signal: string | null): void => {
      child.off('message', settle)
      reject(new Error(`The process ended with ${signal ?? code} before it answered`))
    }
    child.once('message', settle)
    child.once('exit', fail)
    child.once('error', reject)
    child.send(request)
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
    if (child.connected) child.send({ stop: true } satisfies ChildRequest<object>)
  })
}
