import { timesOf, type Firing, type Schedule } from '../host/crons.ts'
import type { Bell, StepReport } from './protocol.ts'

/** What is to happen next, and when it is due, which may be some time ago. */
export type Due = { at: number } & ({ cron: Firing } | { alarm: Bell } | { messages: true })

interface Line {
  schedule: Schedule
  nextAfter: (time: number) => number
  at: number
}

/** All that is to happen, in order of time; at the same moment crons come first, by name, then alarms, those that were set first before others, then messages. */
export class Agenda {
  #crons: Line[] = []
  #nextMessageAt: number | null = null
  readonly #alarms = new Map<string, Bell & { at: number }>()

  /** Puts these crons in the place of those before; they are due from a time on. What is due already stays so. */
  schedule(schedules: readonly Schedule[], from: number): void {
    const before = new Map(this.#crons.map(({ schedule, at }) => [keyOf(schedule), at]))
    const sorted = [...schedules].sort((one, other) => compare(keyOf(one), keyOf(other)))
    this.#crons = sorted.map((schedule) => {
      const nextAfter = timesOf(schedule)
      return { schedule, nextAfter, at: before.get(keyOf(schedule)) ?? nextAfter(from) }
    })
  }

  /** Takes over which alarms and messages there are now. */
  note({ alarms, nextMessageAt }: Pick<StepReport, 'alarms' | 'nextMessageAt'>): void {
    this.#nextMessageAt = nextMessageAt
    for (const { at, ...bell } of alarms) {
      const key = alarmKey(bell)
      if (this.#alarms.get(key)?.at === at) continue
      this.#alarms.delete(key)
      if (at !== null) this.#alarms.set(key, { ...bell, at })
    }
  }

  /** What is due first, if anything is by then. */
  next(until: number): Due | undefined {
    const dues = [this.#nextCron(), this.#nextAlarm(), this.#nextMessages()].filter((due) => due !== undefined)
    const [first] = dues.sort((one, other) => one.at - other.at)
    return first && first.at <= until ? first : undefined
  }

  /** Strikes out what is about to happen. A cron that came due several times by now happens once. */
  strike(due: Due, now: number): void {
    if ('messages' in due) this.#nextMessageAt = null
    if ('alarm' in due) this.#alarms.delete(alarmKey(due.alarm))
    if (!('cron' in due)) return
    const line = this.#crons.find(({ schedule }) => keyOf(schedule) === keyOf(due.cron))
    if (line) line.at = line.nextAfter(now)
  }

  /** Takes it that a clock was set back: crons are due anew from then on. */
  rewind(now: number): void {
    for (const line of this.#crons) line.at = line.nextAfter(now)
  }

  #nextCron(): Due | undefined {
    const [first] = [...this.#crons].sort((one, other) => one.at - other.at)
    return first && first.at !== Infinity ? { at: first.at, cron: { ...first.schedule, scheduledTime: first.at } } : undefined
  }

  #nextAlarm(): Due | undefined {
    const [first] = [...this.#alarms.values()].sort((one, other) => one.at - other.at)
    if (!first) return undefined
    const { at, ...alarm } = first
    return { at, alarm }
  }

  #nextMessages(): Due | undefined {
    return this.#nextMessageAt === null ? undefined : { at: this.#nextMessageAt, messages: true }
  }
}

function keyOf({ worker, cron }: Schedule): string {
  return `${worker} ${cron}`
}

function alarmKey({ worker, className, id }: Bell): string {
  return `${worker} ${className} ${id}`
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other)
}
