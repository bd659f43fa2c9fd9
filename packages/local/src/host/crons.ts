import { Cron } from 'croner'

/** Where the cron clock gets its time from. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Calls back after a delay, once, unless cancelled by the function returned. */
  after(delayMs: number, callback: () => void): () => void
}

/** The machine's own time. A waiting cron does not keep the program alive. */
export const systemClock: Clock = {
  now: Date.now,
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs).unref()
    return () => clearTimeout(timer)
  },
}

/** A cron expression that belongs to a Worker. */
export interface Schedule {
  worker: string
  cron: string
}

/** A firing that is due. */
export interface Firing extends Schedule {
  /** The minute it is due, in milliseconds since 1970. */
  scheduledTime: number
}

/** A timer cannot wait longer than 24 days, and a machine that slept should look at its clock again soon. */
const LONGEST_WAIT_MS = 60_000

/**
 * Fires each schedule at its minute, in UTC, until stopped by the function returned. What came due while the machine slept is fired once, late.
 * Fails at once for an expression Cloudflare would refuse: five fields, where weekdays count from 1, Sunday.
 *
 * https://developers.cloudflare.com/workers/configuration/cron-triggers/
 */
export function startCrons(schedules: Schedule[], fire: (firing: Firing) => void, clock: Clock = systemClock): () => void {
  const patterns = schedules.map((schedule) => ({ schedule, nextAfter: timesOf(schedule) }))
  let cancel = () => {}
  let due = patterns.map(({ nextAfter }) => nextAfter(clock.now()))
  const wait = () => {
    const soonest = Math.min(...due)
    if (soonest !== Infinity) cancel = clock.after(Math.min(Math.max(soonest - clock.now(), 0), LONGEST_WAIT_MS), tick)
  }
  const tick = () => {
    const now = clock.now()
    const fired = due
    due = due.map((time, index) => (time <= now ? (patterns[index]?.nextAfter(now) ?? Infinity) : time))
    for (const [index, { schedule }] of patterns.entries()) {
      const scheduledTime = fired[index] ?? Infinity
      if (scheduledTime <= now) fire({ ...schedule, scheduledTime })
    }
    wait()
  }
  wait()
  return () => cancel()
}

/** What tells when a schedule is due next after a time, in milliseconds since 1970; Infinity where never. Fails for an expression Cloudflare would refuse. */
export function timesOf({ worker, cron }: Schedule): (time: number) => number {
  try {
    const pattern = new Cron(cron, { paused: true, timezone: 'UTC', mode: '5-part', alternativeWeekdays: true })
    return (time) => pattern.nextRun(new Date(time))?.getTime() ?? Infinity
  } catch (cause) {
    throw new Error(`${worker}/wrangler.jsonc: triggers.crons: ${cause instanceof Error ? cause.message : cron}`, { cause })
  }
}
