import type { Bell } from '../protocol.ts'
import { dialOf, planOf, type Env } from './environment.ts'
import { deliverDue, isMailMoving } from './mail.ts'

/** What was given to `waitUntil` is asleep when so long nothing happened while no call runs anywhere. */
const ASLEEP_MS = 50

/** A call that still runs while so long nothing happened waits for somebody outside, as whoever follows a feed does. */
const HELD_MS = 2_000

/** Between two looks at what goes on. A look takes as much of the processor as a small request. */
const LONGEST_PAUSE_MS = 8

/** Nothing takes so long, unless it goes round in circles. */
const LONGEST_MS = 120_000

/** A Worker as it was when it was last looked at. */
interface Seen {
  beats: number
  /** What runs, and what was given to `waitUntil` where not all of that can be asleep. */
  running: number[]
  waiting: number[]
}

const seen = new Map<string, Seen>()

/** Tasks that were found asleep, by Worker. */
const asleep = new Map<string, Set<number>>()

/** Resolves when nothing goes on in any Worker but what sleeps. Answers the Durable Objects that may have other alarms than before. */
export async function settle(env: Env): Promise<Bell[]> {
  const { workers } = planOf(env)
  const touched = new Map<string, Bell>()
  const start = performance.now()
  let changedAt = start
  let pauseMs = 0.5
  for (let round = workers; ;) {
    await deliverDue(env)
    const active = await lookAt(round, { env, touched })
    const now = performance.now()
    if (now - start > LONGEST_MS) throw new Error(`The platform does not come to rest: ${active.join(', ')}`)
    const isQuiet = active.length === 0
    if (!isQuiet) changedAt = now
    if (isQuiet && !isMailMoving() && isOver(now - changedAt)) return [...touched.values()]
    // Whoever was at work is asked once more; only where that was not all, everybody is.
    round = !isQuiet && round === workers ? active : workers
    pauseMs = isQuiet ? Math.min(pauseMs * 2, LONGEST_PAUSE_MS) : 0.5
    if (isQuiet) await scheduler.wait(pauseMs)
  }
}

function isOver(quietMs: number): boolean {
  const all = [...seen]
  const isRunning = all.some(([, { running }]) => running.length > 0)
  if (!isRunning && all.every(([, { waiting }]) => waiting.length === 0)) return true
  if (quietMs < (isRunning ? HELD_MS : ASLEEP_MS)) return false
  for (const [worker, { running, waiting }] of all) for (const id of [...running, ...waiting]) asleep.get(worker)?.add(id)
  return true
}

/** Answers those of the Workers that did something since they were looked at before. */
async function lookAt(workers: string[], { env, touched }: { env: Env; touched: Map<string, Bell> }): Promise<string[]> {
  const looks = await Promise.all(workers.map(async (worker) => ({ worker, look: await dialOf(env, worker).look() })))
  return looks.flatMap(({ worker, look }) => {
    const sleepers = stillAsleep(worker, [...look.running, ...look.waiting])
    const waiting = look.waiting.filter((id) => !sleepers.has(id))
    const running = look.running.filter((id) => !sleepers.has(id))
    const before = seen.get(worker)?.beats
    seen.set(worker, { beats: look.beats, running, waiting: waiting.length > look.sleepers ? waiting : [] })
    for (const [className, id] of look.touched) touched.set(`${worker} ${className} ${id}`, { worker, className, id })
    return before === look.beats ? [] : [worker]
  })
}

function stillAsleep(worker: string, unfinished: number[]): Set<number> {
  const left = new Set(unfinished.filter((id) => asleep.get(worker)?.has(id)))
  asleep.set(worker, left)
  return left
}
