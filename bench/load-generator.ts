import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Outcome, Stretch } from './load.ts'

/** The load generator, in a process of its own so that it can have a core of its own. */
export interface LoadGenerator {
  pid: number
  /** Runs one stretch at a time. Fails when a connection does, or when any answer has another status than expected. */
  run(stretch: Stretch): Promise<Outcome>
  stop(): void
}

/** Starts the load generator. */
export function startLoadGenerator(): LoadGenerator {
  const child = fork(fileURLToPath(new URL('load-process.ts', import.meta.url)))
  return {
    pid: child.pid ?? 0,
    async run(stretch) {
      const outcome = await ask(child, stretch)
      const unexpected = Object.entries(outcome.unexpected).map(([status, count]) => `${count} × ${status}`)
      if (unexpected.length > 0)
        throw new Error(`${stretch.target.method} ${stretch.target.url}: ${unexpected.join(', ')} in place of ${stretch.target.status}`)
      return outcome
    },
    stop: () => child.disconnect(),
  }
}

function ask(child: ChildProcess, stretch: Stretch): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const end = () => reject(new Error('The load generator ended'))
    child.once('exit', end)
    child.once('message', (answer: { outcome: Outcome } | { failed: string }) => {
      child.off('exit', end)
      if ('failed' in answer) reject(new Error(answer.failed))
      else resolve(answer.outcome)
    })
    child.send(stretch)
  })
}
