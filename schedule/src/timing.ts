import type { Timing as TimingSchema } from '@dot-do/worker-contracts/task'
import { ServiceError } from '@dot-do/worker-utils'
import { Cron } from 'croner'
import type * as z from 'zod'

/** When a task is due. */
export type Timing = z.output<typeof TimingSchema>

/** The times of a timing, one after another in either direction. Times are milliseconds since 1970. */
interface Times {
  /** The first after a time; undefined where none is left. */
  next(after: number): number | undefined
  /** The last ones before a time, latest first. */
  before(time: number, count: number): number[]
}

/** Fields of an expression, or its short name: what else croner would take (a date) is none. */
const EXPRESSION = /^\s*(?:@[a-z]+|[\d*?LW#,/A-Za-z+-]+(?:\s+[\d*?LW#,/A-Za-z+-]+){4,5})\s*$/

/** Throws INVALID, naming the field, for an expression that is none or never fires, for a zone that is not known, and for a date that is over by more than a minute. */
export function refuseTiming(timing: Timing, now: number): void {
  if ('at' in timing && Date.parse(timing.at) < now - 60_000) throw refusal('at', 'must not be in the past')
  if (!('cron' in timing)) return
  if (!isZone(timing.timezone)) throw refusal('timezone', `${timing.timezone} is not a zone of the IANA database`)
  if (cronTimes(timing).next(now) === undefined) throw refusal('cron', 'never fires')
}

/** Up to so many times after one, in order. */
export function nextTimes(timing: Timing, after: number, count: number): number[] {
  const times = timesOf(timing)
  const found: number[] = []
  for (let time = times.next(after); time !== undefined && found.length < count; time = times.next(time)) found.push(time)
  return found
}

/** Up to so many times that are after the first and not after the last, in order. */
export function timesWithin(timing: Timing, { after, until }: { after: number; until: number }, count: number): number[] {
  const times = timesOf(timing)
  const found: number[] = []
  for (let time = times.next(after); time !== undefined && time <= until && found.length < count; time = times.next(time)) found.push(time)
  return found
}

/** The latest of the times that are after the first and not after the last, in order; at most so many. */
export function latestWithin(timing: Timing, { after, until }: { after: number; until: number }, count: number): number[] {
  return timesOf(timing)
    .before(until + 1, count)
    .filter((time) => time > after)
    .reverse()
}

function timesOf(timing: Timing): Times {
  if ('cron' in timing) return cronTimes(timing)
  return 'at' in timing ? oneTime(Date.parse(timing.at)) : intervalTimes(timing)
}

function oneTime(at: number): Times {
  return { next: (after) => (at > after ? at : undefined), before: (time, count) => (at < time && count > 0 ? [at] : []) }
}

/** Counted from the anchor in both directions, so that a stretch before it can be made up for. */
function intervalTimes({ everySeconds, anchor }: Extract<Timing, { everySeconds: number }>): Times {
  const step = everySeconds * 1000
  const first = anchor === undefined ? 0 : Date.parse(anchor)
  return {
    next: (after) => first + (Math.floor((after - first) / step) + 1) * step,
    before(time, count) {
      const last = first + (Math.ceil((time - first) / step) - 1) * step
      return Array.from({ length: count }, (_, index) => last - index * step)
    },
  }
}

/**
 * Daylight saving is as cron has it: an expression that names its hours and minutes runs once a day, just after the gap where its time is skipped and at the first of
 * the two where it comes twice; one with a wildcard or a step goes by the time that passes, so it skips nothing and repeats what the clock repeats.
 */
function cronTimes({ cron, timezone }: Extract<Timing, { cron: string }>): Times {
  const pattern = parse(cron, timezone)
  return {
    next: (after) => pattern.nextRun(new Date(after))?.getTime(),
    // croner goes by whole seconds.
    before: (time, count) => pattern.previousRuns(count, new Date(Math.ceil(time / 1000) * 1000)).map((run) => run.getTime()),
  }
}

function parse(cron: string, timezone: string): Cron {
  if (!EXPRESSION.test(cron)) throw refusal('cron', 'must have five fields, or six with seconds first, or be @hourly, @daily, @weekly, @monthly or @yearly')
  try {
    return new Cron(cron, { paused: true, timezone, mode: '5-or-6-parts', fixedTimeRule: 'no-wildcard' })
  } catch (cause) {
    const said = cause instanceof Error ? cause.message.replace(/^\w+: /, '') : 'is no expression'
    throw refusal('cron', said, cause)
  }
}

function isZone(timezone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: timezone })
    // An offset is no zone: it knows no daylight saving.
    return !/^[+-]/.test(timezone)
  } catch {
    return false
  }
}

function refusal(field: string, message: string, cause?: unknown): ServiceError {
  const path = `timing.${field}`
  return new ServiceError('INVALID', `${path}: ${message}`, { details: [{ path, message }], cause })
}
