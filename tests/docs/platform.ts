import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/** A platform started as a reader starts it. */
export interface StartedPlatform {
  /** `http://localhost:N`. */
  url: string
  stop(): Promise<void>
}

/** Runs what `pnpm dev` runs, on a free port. Fails with what it printed when it ends before it is ready. */
export async function startDev(root: string, stateDir: string): Promise<StartedPlatform> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(root, stateDir)
    } catch (error) {
      // A port that is free when it is chosen may be another program's a few seconds later, when it is listened on.
      if (attempt === 3 || !String(error).includes('is taken by another program')) throw error
    }
  }
}

async function start(root: string, stateDir: string): Promise<StartedPlatform> {
  const child = spawn(process.execPath, ['packages/local/src/dev.ts', '--port', '0', '--state', stateDir], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  const url = await new Promise<string>((resolve, reject) => {
    let printed = ''
    const read = (chunk: Buffer): void => {
      printed += chunk.toString()
      const [, ready] = /^ready (\S+)$/m.exec(printed) ?? []
      if (ready !== undefined) resolve(ready)
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    child.once('exit', () => reject(new Error(`The platform did not start:\n${printed}`)))
  })
  return { url, stop: () => stop(child) }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}
