import { expect, it, vi } from 'vitest'
import { startCrons, type Clock, type Firing } from '../../src/host/crons.ts'
import { get, started, workspace } from './platform-under-test.ts'

/** Time that passes when told. */
function manualClock(start: string) {
  let now = Date.parse(start)
  const timers = new Map<object, { at: number; callback: () => void }>()
  const clock: Clock = {
    now: () => now,
    after(delayMs, callback) {
      const key = {}
      timers.set(key, { at: now + delayMs, callback })
      return () => timers.delete(key)
    },
  }
  const advanceTo = (time: string) => {
    const end = Date.parse(time)
    for (let round = 0; round < 100_000; round++) {
      const [soonest] = [...timers].sort(([, one], [, other]) => one.at - other.at)
      if (!soonest || soonest[1].at > end) break
      now = Math.max(now, soonest[1].at)
      timers.delete(soonest[0])
      soonest[1].callback()
    }
    now = Math.max(now, end)
  }
  const sleepUntil = (time: string) => (now = Date.parse(time))
  return { clock, advanceTo, sleepUntil, timers }
}

const times = (firings: Firing[]) => firings.map(({ worker, scheduledTime }) => `${worker} ${new Date(scheduledTime).toISOString()}`)

it('fires each schedule at its minutes, in UTC', () => {
  const time = manualClock('2026-11-21T08:01:30Z')
  const firings: Firing[] = []

  startCrons(
    [
      { worker: 'a', cron: '*/5 * * * *' },
      { worker: 'b', cron: '10 8 * * *' },
    ],
    (firing) => firings.push(firing),
    time.clock,
  )
  time.advanceTo('2026-11-21T08:12:00Z')

  expect(times(firings)).toEqual(['a 2026-11-21T08:05:00.000Z', 'a 2026-11-21T08:10:00.000Z', 'b 2026-11-21T08:10:00.000Z'])
})

it('counts weekdays as Cloudflare does, from 1, Sunday', () => {
  const time = manualClock('2026-11-21T00:00:00Z')
  const firings: Firing[] = []

  startCrons([{ worker: 'a', cron: '0 0 * * 1' }], (firing) => firings.push(firing), time.clock)
  time.advanceTo('2026-11-28T00:00:00Z')

  expect(times(firings)).toEqual(['a 2026-11-22T00:00:00.000Z'])
})

it('fires once what came due several times while the machine slept', () => {
  const time = manualClock('2026-11-21T08:01:00Z')
  const firings: Firing[] = []

  startCrons([{ worker: 'a', cron: '* * * * *' }], (firing) => firings.push(firing), time.clock)
  time.sleepUntil('2026-11-21T09:00:30Z')
  time.advanceTo('2026-11-21T09:01:00Z')

  expect(times(firings)).toEqual(['a 2026-11-21T08:02:00.000Z', 'a 2026-11-21T09:01:00.000Z'])
})

it('fires nothing once stopped', () => {
  const time = manualClock('2026-11-21T08:01:00Z')
  const firings: Firing[] = []
  const stop = startCrons([{ worker: 'a', cron: '* * * * *' }], (firing) => firings.push(firing), time.clock)

  stop()
  time.advanceTo('2026-11-21T09:00:00Z')

  expect(firings).toEqual([])
})

it.each(['61 * * * *', '* * * * * *', 'soon'])('refuses %s, and names the Worker', (cron) => {
  const start = () => startCrons([{ worker: 'notes', cron }], () => {})

  expect(start).toThrow('notes/wrangler.jsonc: triggers.crons: ')
})

it('calls a Worker’s scheduled with its cron and its minute', async () => {
  const time = manualClock('2026-11-21T08:01:00Z')
  const platform = await started({ root: await workspace(), clock: time.clock })

  time.advanceTo('2026-11-21T08:05:00Z')

  await vi.waitFor(async () => expect(JSON.parse(await get(platform, '/journal'))).toEqual(['cron */5 * * * * 2026-11-21T08:05:00.000Z']), 10_000)
})
