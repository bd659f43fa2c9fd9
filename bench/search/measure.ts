import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { leaving } from '../leavings.ts'
import type { SearchFigures } from './figures.ts'

/** Searches among 100,000 synthetic things. The first time, and whenever what makes them has changed, building them takes some minutes. */
export async function measureSearch(root: string): Promise<SearchFigures> {
  const child = fork(join(import.meta.dirname, 'program.ts'), [root])
  const stop = leaving(() => Promise.resolve(child.kill()))
  const failed = once(child, 'exit').then(([code]) => Promise.reject(new Error(`Measuring the search ended with ${String(code)}`)))
  try {
    const [figures] = (await Promise.race([once(child, 'message'), failed])) as [SearchFigures] // the only thing it ever says
    return figures
  } finally {
    failed.catch(() => undefined)
    await stop()
  }
}
