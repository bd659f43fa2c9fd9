import { generateId } from '@dot-do/worker-utils'
import type { TaskRow } from './tables.ts'
import { latestWithin, nextTimes, timesWithin } from './timing.ts'

/** What of a task its times follow from. */
export type Planned = Pick<TaskRow, 'id' | 'timing' | 'enabled' | 'deletedAt' | 'catchUpSeconds' | 'jitterSeconds' | 'settledUntil'>

/** A time that came, as the execution it becomes. */
export interface DueTime {
  id: string
  at: string
  trigger: 'schedule' | 'catch-up'
  state: 'waiting' | 'missed'
  dueAt?: string
  log?: { at: string; message: string }[]
}

/** What is to be done about a task's times now. */
export interface Plan {
  times: DueTime[]
  settledUntil: string
  nextRunAt: string | null
  /** Whether there are further times that came. */
  more: boolean
}

/** An alarm may be so late, in milliseconds, and its times still count as on time. */
export const GRACE_MS = 30_000

/** So many times are looked at in one step; and of those that were missed, so many are noted, the latest. */
export const MOST_TIMES = 100

/**
 * The times of a task up to now that nobody settled: those within the catch-up window are to be run, older ones were missed. A clock that jumped back finds none, and
 * one that jumped ahead and back repeats none: what is settled are times, and not when that was.
 */
export function planOf(task: Planned, now: number): Plan {
  const settled = Date.parse(task.settledUntil)
  const isOn = task.enabled && task.deletedAt === null
  const [first] = isOn ? nextTimes(task.timing, settled, 1) : []
  if (first === undefined || first > now) return { times: [], settledUntil: iso(settled), nextRunAt: first === undefined ? null : iso(first), more: false }
  const since = now - Math.max(task.catchUpSeconds * 1000, GRACE_MS)
  const missed = first > since ? [] : missedTimes(task, { after: settled, until: since }, now)
  const due = timesWithin(task.timing, { after: Math.max(settled, since), until: now }, MOST_TIMES)
  const until = due.at(-1) ?? Date.parse(missed.at(-1)?.at ?? task.settledUntil)
  const [next] = nextTimes(task.timing, until, 1)
  return {
    times: [...missed, ...due.map((time) => dueTime(task, time, now))],
    settledUntil: iso(until),
    nextRunAt: next === undefined ? null : iso(next),
    more: next !== undefined && next <= now,
  }
}

/** How much later than its time an execution begins, in milliseconds: spread evenly over the tasks and times, and the same whenever it is asked for. */
export function jitterOf(taskId: string, time: number, jitterSeconds: number): number {
  if (jitterSeconds === 0) return 0
  // FNV-1a of 32 bits, with MurmurHash's finish: neighbouring times must not come out as neighbours.
  let hash = 0x811c9dc5
  for (const character of `${taskId}/${time}`) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return Math.floor((((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32) * jitterSeconds * 1000)
}

function dueTime({ id, jitterSeconds }: Planned, time: number, now: number): DueTime {
  const trigger = now - time > GRACE_MS ? 'catch-up' : 'schedule'
  return { id: generateId('exec'), at: iso(time), trigger, state: 'waiting', dueAt: iso(time + jitterOf(id, time, jitterSeconds)) }
}

function missedTimes({ timing }: Planned, stretch: { after: number; until: number }, now: number): DueTime[] {
  const found = latestWithin(timing, stretch, MOST_TIMES + 1)
  const noted = found.slice(-MOST_TIMES)
  return noted.map((time, index) => {
    const message = index === 0 && found.length > MOST_TIMES ? 'Missed, as were others before it' : 'Missed: nothing ran it within the catch-up window'
    return { id: generateId('exec'), at: iso(time), trigger: 'schedule', state: 'missed', log: [{ at: iso(now), message }] }
  })
}

function iso(time: number): string {
  return new Date(time).toISOString()
}
