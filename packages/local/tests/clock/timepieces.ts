import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { turnableClock, type TurnableClock } from '../../src/clock/turnable-clock.ts'
import type { Platform } from '../../src/host/platform.ts'
import { get, started } from '../host/platform-under-test.ts'

/** Two Workers whose whole work is to know what time it is, on a clock that is turned. */
export interface Timepieces {
  root: string
  clock: TurnableClock
  platform: Platform
  /** Asks the Workers something: `due?of=tower`. */
  ask(path: string): Promise<unknown>
  /** What happened in the Workers, each with the time that they had. */
  journal(): Promise<unknown>
}

/** Starts them, for one test. */
export async function timepieces(start: string, root?: string): Promise<Timepieces> {
  const folder = root ?? (await workspace())
  const clock = turnableClock(start)
  const platform = await started({ root: folder, clock })
  const ask = async (path: string): Promise<unknown> => {
    const text = await get(platform, `/${path}`)
    return text.startsWith('sent') ? text : JSON.parse(text)
  }
  return { root: folder, clock, platform, ask, journal: () => ask('journal') }
}

async function workspace(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'timepieces-'))
  onTestFinished(() => rm(root, { recursive: true, force: true, maxRetries: 5 }))
  await cp(join(import.meta.dirname, '../fixtures/timepieces'), root, { recursive: true })
  return root
}
