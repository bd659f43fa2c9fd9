import type { MiniflareOptions } from 'miniflare'
import { StandingClock, type TurnableClock } from '../clock/turnable-clock.ts'
import { startCrons, systemClock, type Clock, type Firing, type Schedule } from './crons.ts'
import type { LocalDatabase } from './database.ts'
import type { PlatformListener } from './events.ts'

/** What a platform has to do with time. */
export interface Time {
  /** What is to run, on this time. */
  options(options: MiniflareOptions): MiniflareOptions
  /** Starts the Workers, or replaces them, when time allows it. */
  around(update: () => Promise<void>): Promise<void>
  /** Fires these crons, in place of those before, until stopped by the function returned. */
  schedule(schedules: Schedule[], fire: (firing: Firing) => void): () => void
  /** To be called when the Workers had died and run again. */
  restarted(): void
}

/** Where a clock that is turned finds what goes by it, besides the Workers. */
export interface Place {
  stateDir: string
  database: LocalDatabase | undefined
}

/** The time that a platform goes by: this machine's, unless told. */
export async function timeOf(clock: Clock | TurnableClock = systemClock, place: Place): Promise<Time> {
  if (clock instanceof StandingClock) return (await import('../clock/standing-time.ts')).standingTime(clock, place)
  return {
    options: (options) => options,
    around: (update) => update(),
    schedule: (schedules, fire) => startCrons(schedules, fire, clock as Clock), // no other clock can be turned
    restarted: () => {},
  }
}

/** Passes events on, and tells time of those that concern it. */
export function withRestarts(time: Time, onEvent: PlatformListener): PlatformListener {
  return (event) => {
    if (event.type === 'restarted') time.restarted()
    onEvent(event)
  }
}

/** The time at which a database is to open its eyes; undefined where it goes by this machine's. */
export function standingAt(clock: Clock | TurnableClock | undefined): number | undefined {
  return clock instanceof StandingClock ? clock.now() : undefined
}
