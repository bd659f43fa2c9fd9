import type { Schedule } from '../host/crons.ts'
import { Agenda, type Due } from './agenda.ts'
import type { Bell, Step, StepReport } from './protocol.ts'

/** Something that happened while the clock was turned. */
export interface Happening {
  /** The time it was then, as an ISO string. */
  at: string
  /** `cron queue * * * * *`, `alarm queue Waker`, or `messages jobs-high 3`. */
  what: string
  /** Why it failed. */
  failure?: string
}

/** A clock that stands still until it is turned. The whole platform goes by it. */
export interface TurnableClock {
  /** Milliseconds since 1970. */
  now(): number
  /**
   * Lets time pass, by milliseconds or until an ISO time: whatever comes due happens in order, each at its very time and only once all that went before has been dealt
   * with. Answers what happened. Fails when told a time that has passed.
   */
  advance(to: number | string): Promise<Happening[]>
  /** Sets the clock, forward or back, as when a machine slept: nothing happens in between, and what came due meanwhile happens now, late, each cron once. */
  jump(to: number | string): Promise<Happening[]>
  /** Waits until nothing goes on any more, and lets happen what is due at this moment. */
  settle(): Promise<Happening[]>
}

/** The platform as its clock sees it. */
export interface Turned {
  /** Takes one step in the Workers. */
  step(step: Step): Promise<StepReport>
  /** Tells the database the time. */
  tell(now: number): Promise<void>
  /** The alarms of all Durable Objects that ever stored something. */
  recall(): Promise<StepReport['alarms']>
}

/** The clock as the host has it: it is bound to what it turns once that runs. */
export class StandingClock implements TurnableClock {
  readonly #agenda = new Agenda()
  #turned: Turned | undefined
  #now: number
  /** The time that the database was told last. */
  #told: number | undefined
  #last: Promise<unknown> = Promise.resolve()

  constructor(start: number) {
    this.#now = start
  }

  now(): number {
    return this.#now
  }

  advance(to: number | string): Promise<Happening[]> {
    return this.exclusively(async () => {
      const until = this.#timeOf(to)
      if (until < this.#now) throw new RangeError(`It is ${shown(this.#now)} already; jump sets the clock back`)
      return this.#pass(until, (due) => due.at)
    })
  }

  jump(to: number | string): Promise<Happening[]> {
    return this.exclusively(async () => {
      const until = this.#timeOf(to)
      const before = await this.#pass(this.#now, () => this.#now)
      if (until < this.#now) this.#agenda.rewind(until)
      this.#now = until
      return [...before, ...(await this.#pass(until, () => until))]
    })
  }

  settle(): Promise<Happening[]> {
    return this.exclusively(() => this.#pass(this.#now, () => this.#now))
  }

  /** Runs what must not happen while the clock is turned. One thing after another. */
  exclusively<T>(run: () => Promise<T>): Promise<T> {
    const next = this.#last.then(run)
    this.#last = next.catch(() => {})
    return next
  }

  /** Lets the Workers be replaced, with nothing going on meanwhile, and turns those that run then. Alarms that their objects have are among what is to come. */
  around(update: () => Promise<void>, turned: Turned): Promise<void> {
    return this.exclusively(async () => {
      await update()
      this.#turned = turned
      this.#agenda.note({ alarms: await turned.recall(), nextMessageAt: null })
    })
  }

  /** Fires these crons from now on. */
  schedule(schedules: readonly Schedule[]): void {
    this.#agenda.schedule(schedules, this.#now)
  }

  /** Lets all happen that is due by a time, each at the time that `when` says for it, and ends at that time. */
  async #pass(until: number, when: (due: Due) => number): Promise<Happening[]> {
    const happenings = await this.#step({})
    let stillFor = 0
    for (let due = this.#agenda.next(until); due; due = this.#agenda.next(until)) {
      const at = Math.max(this.#now, when(due))
      stillFor = at > this.#now ? 0 : stillFor + 1
      if (stillFor > LONGEST_STANDSTILL) throw new Error(`Time does not pass ${shown(at)}: ${nameOf(due)} is due there again and again`)
      this.#now = at
      this.#agenda.strike(due, at)
      happenings.push(...(await this.#step(due)))
    }
    if (until > this.#now) {
      this.#now = until
      happenings.push(...(await this.#step({})))
    }
    return happenings
  }

  async #step(due: Partial<Due>): Promise<Happening[]> {
    const turned = this.#turned
    if (!turned) throw new Error('The platform of this clock does not run')
    const [now, at] = [this.#now, shown(this.#now)]
    if (now !== this.#told) await turned.tell(now)
    this.#told = now
    const what = 'cron' in due ? { cron: due.cron } : 'alarm' in due ? { alarm: due.alarm } : {}
    const report = await turned.step({ now, ...what } as Step)
    this.#agenda.note(report)
    const own = 'cron' in due || 'alarm' in due ? [{ at, what: nameOf(due as Due), ...failureOf(report) }] : []
    const messages = report.delivered.map((batch) => ({ at, what: `messages ${batch.queue} ${batch.messages}`, ...failureOf(batch) }))
    return [...own, ...messages]
  }

  #timeOf(to: number | string): number {
    const time = typeof to === 'number' ? this.#now + to : Date.parse(to)
    if (!Number.isFinite(time)) throw new RangeError(`No time: ${to}`)
    return time
  }
}

/** More cannot be due at one moment. */
const LONGEST_STANDSTILL = 20_000

/** A clock for a platform: `startPlatform({ clock: turnableClock('2027-03-14T00:00:00Z') })`. It stands at the machine's time unless told. */
export function turnableClock(start: string | number = Date.now()): TurnableClock {
  const time = typeof start === 'number' ? start : Date.parse(start)
  if (!Number.isFinite(time)) throw new RangeError(`No time: ${start}`)
  return new StandingClock(time)
}

function nameOf(due: Due): string {
  if ('cron' in due) return `cron ${due.cron.worker} ${due.cron.cron}`
  return 'alarm' in due ? bellName(due.alarm) : 'messages'
}

function bellName({ worker, className }: Bell): string {
  return `alarm ${worker} ${className}`
}

function failureOf({ failure }: { failure?: string }): { failure?: string } {
  return failure === undefined ? {} : { failure }
}

function shown(time: number): string {
  return new Date(time).toISOString()
}
