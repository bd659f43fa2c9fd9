import { randomInt } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { openFeed, type FeedEvent } from '../flows/feed.ts'
import { runDev, stateDirectory, type DevProgram } from './dev-program.ts'
import { familyOf, killAll } from './processes.ts'
import { startWriters, type Target } from './writers.ts'

let state: Awaited<ReturnType<typeof stateDirectory>>

beforeAll(async () => {
  state = await stateDirectory()
})
afterAll(() => state.remove())

/** Reads the feed as an EventSource does: whenever it breaks, it comes back with the last id it has. */
function startReader({ url, adminKey }: Target) {
  const seen: FeedEvent[] = []
  let isStopped = false
  let close: () => void = () => undefined
  let reconnections = 0
  const reading = (async () => {
    let lastEventId: string | undefined
    while (!isStopped) {
      try {
        const feed = await openFeed({ url, key: adminKey, ...(lastEventId !== undefined && { lastEventId }) })
        close = feed.close
        while (!isStopped && feed.status === 200) {
          seen.push(...(await feed.events(1)))
          lastEventId = feed.lastId()
        }
      } catch {
        reconnections += 1
        await delay(50)
      }
    }
  })()
  return {
    seen,
    reconnections: () => reconnections,
    async stop() {
      isStopped = true
      close()
      await reading
    },
  }
}

/** Ends the one process of a program whose command line holds these words. */
async function kill(program: DevProgram, words: string): Promise<void> {
  const found = (await familyOf(program.pid)).filter(({ command }) => command.includes(words))
  expect(found).toHaveLength(1)
  killAll(found)
}

const cursors = (events: FeedEvent[]) => events.map(({ id }) => id)
const things = (events: FeedEvent[]) => events.map(({ data }) => String(data['thing']?.['$id']))

describe('two readers of the change feed', () => {
  it('see the same order, without gap or double, while the Workers’ runtime and the database are killed again and again', async () => {
    const program = runDev(state.dir)
    onTestFinished(() => program.end())
    await program.ready()
    const { url, adminKey } = await program.devFile()
    const target = { url, adminKey }
    const readers = [startReader(target), startReader(target)] as const
    const writers = startWriters(target, 'Fed')
    onTestFinished(() => writers.stop())
    onTestFinished(async () => void (await Promise.all(readers.map((reader) => reader.stop()))))

    for (const words of ['serve --binary', 'database/child', 'serve --binary', 'serve --binary']) {
      await writers.more(randomInt(50, 200))
      await kill(program, words)
    }
    await writers.more(50)
    await writers.stop()
    const acknowledged = writers.acknowledged().map((write) => String(write.acknowledged?.$id))
    const [one, other] = readers
    const missing = () => {
      const seen = new Set(things(one.seen))
      return acknowledged.filter((id) => !seen.has(id))
    }
    await vi.waitFor(() => expect(missing()).toEqual([]), { timeout: 120_000 })
    const whole = await openFeed({ url, key: adminKey })
    const all = await whole.events(one.seen.length)
    whole.close()
    await vi.waitFor(() => expect(other.seen.length).toBeGreaterThanOrEqual(all.length), { timeout: 120_000 })

    expect(readers.map(({ reconnections }) => reconnections() >= 3)).toEqual([true, true])
    expect(cursors(one.seen)).toEqual(cursors(all))
    expect(cursors(other.seen.slice(0, all.length))).toEqual(cursors(all))
    expect(new Set(things(all)).size).toBe(all.length)
    expect(acknowledged.length).toBeGreaterThan(200)
  })
})
