import { randomInt, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { runDev, stateDirectory, type DevProgram } from './dev-program.ts'
import { familyOf, killAll, survivorsOf } from './processes.ts'
import { BATCH, sendAgain, settled, startTrackers, storedOf, type Mark, type Trackers } from './trackers.ts'
import type { Target } from './writers.ts'

let state: Awaited<ReturnType<typeof stateDirectory>>

beforeAll(async () => {
  state = await stateDirectory()
})
afterAll(() => state.remove())

async function started(): Promise<DevProgram & Target> {
  const program = runDev(state.dir)
  onTestFinished(() => program.end())
  await program.ready()
  const { url, adminKey } = await program.devFile()
  return { ...program, url, adminKey }
}

function tracking(target: Target): { mark: Mark; trackers: Trackers } {
  const mark = { service: `kill.${randomUUID()}` }
  const trackers = startTrackers(target, mark)
  onTestFinished(() => trackers.stop())
  return { mark, trackers }
}

async function childOf(program: DevProgram, words: string) {
  const found = (await familyOf(program.pid)).filter(({ command }) => command.includes(words))
  expect(found).toHaveLength(1)
  return found
}

/** Sends every batch again: whose answer is another than before, and how many events ClickHouse has then, in all and different ones. */
async function retried(target: Target, mark: Mark, { sent }: Trackers) {
  const before = sent.map(({ answer }) => answer)
  const answers = await sendAgain(target, mark, sent)
  await settled(target)
  const changed = sent.filter((_, index) => before[index] !== undefined && JSON.stringify(before[index]) !== JSON.stringify(answers[index]))
  return { changed, ...(await storedOf(target, mark)) }
}

describe('kill -9 while events are tracked', () => {
  it.each([
    ['ClickHouse', 'analytics/child'],
    ['the Workers’ runtime', 'serve --binary'],
  ])('of %s loses none that was accepted and doubles none', async (_name, words) => {
    const program = await started()
    const { mark, trackers } = tracking(program)

    for (let round = 0; round < 3; round++) {
      await trackers.more(randomInt(40, 200))
      killAll(await childOf(program, words))
      await vi.waitFor(() => childOf(program, words), { timeout: 15_000, interval: 100 })
    }
    await trackers.more(40)
    await trackers.stop()

    const events = trackers.sent.length * BATCH
    expect(await retried(program, mark, trackers)).toEqual({ changed: [], events, different: events })
  })

  it('of everything loses none that was accepted and doubles none', async () => {
    const killed = await started()
    const { mark, trackers } = tracking(killed)
    await trackers.more(randomInt(100, 300))
    const family = await familyOf(killed.pid)

    killAll(family)
    await trackers.stop()
    expect(await survivorsOf(family)).toEqual([])
    const again = await started()

    expect(trackers.accepted().length).toBeGreaterThanOrEqual(100)
    const events = trackers.sent.length * BATCH
    expect(await retried(again, mark, trackers)).toEqual({ changed: [], events, different: events })
  })
})
