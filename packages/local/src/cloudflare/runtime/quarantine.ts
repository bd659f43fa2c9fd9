import type { RuntimeListener } from './events.ts'
import type { ShardProcess } from './shard-process.ts'

/** How long a script stays by itself after it was last suspected. */
const QUARANTINE_MS = 60_000
const MAX_PROCESSES = 8
const SWEEP_MS = 1_000

/** Callers that were told the old place may come for a moment yet. */
const RETIREMENT_MS = 5_000
const LONGEST_RETIREMENT_MS = 30_000

interface Cell {
  process: Promise<ShardProcess>
  /** The same, once it is there. */
  id: string | undefined
  until: number
}

/** Scripts that are suspected of what ended their process, each in one of its own, so that a second time shows who it was and hurts nobody else. */
export class Quarantine {
  #take: () => Promise<ShardProcess>
  #onEvent: RuntimeListener
  #cells = new Map<string, Cell>()
  #retired = new Map<ShardProcess, number>()
  #sweeper: NodeJS.Timeout

  constructor(take: () => Promise<ShardProcess>, onEvent: RuntimeListener) {
    this.#take = take
    this.#onEvent = onEvent
    this.#sweeper = setInterval(() => this.#sweep(Date.now()), SWEEP_MS)
    this.#sweeper.unref()
  }

  processOf(key: string): Promise<ShardProcess> | undefined {
    return this.#cells.get(key)?.process
  }

  /** Scripts by the process they have apart. */
  get cells(): { key: string; process: string | undefined }[] {
    return [...this.#cells].map(([key, { id }]) => ({ key, process: id }))
  }

  /** Puts a script apart, or keeps it there for longer. */
  isolate(key: string): void {
    const until = Date.now() + QUARANTINE_MS
    const known = this.#cells.get(key)
    if (known) {
      known.until = until
      return
    }
    this.#cells.set(key, this.#cell(this.#shareable() ?? this.#take(), until))
    this.#onEvent({ type: 'quarantined', script: key, message: `${key} has a process of its own for now: it may be what ended the one it shared.` })
  }

  /** Gives those whose process has ended another. */
  replace(ended: string): void {
    const cells = [...this.#cells].filter(([, { id }]) => id === ended)
    if (cells.length === 0) return
    const process = this.#take()
    for (const [key, { until }] of cells) this.#cells.set(key, this.#cell(process, until))
  }

  async stop(): Promise<void> {
    clearInterval(this.#sweeper)
    await Promise.allSettled([...this.#cells.values()].map(({ process }) => process))
  }

  #cell(process: Promise<ShardProcess>, until: number): Cell {
    const cell: Cell = { process, id: undefined, until }
    process.then(
      ({ id }) => (cell.id = id),
      () => {},
    )
    return cell
  }

  /** When there are as many processes as may be, the one that the fewest share. */
  #shareable(): Promise<ShardProcess> | undefined {
    const sharers = new Map<Promise<ShardProcess>, number>()
    for (const { process } of this.#cells.values()) sharers.set(process, (sharers.get(process) ?? 0) + 1)
    if (sharers.size < MAX_PROCESSES) return undefined
    return [...sharers].sort(([, one], [, other]) => one - other)[0]?.[0]
  }

  #sweep(now: number): void {
    for (const [key, { until, process }] of this.#cells) {
      if (now < until) continue
      this.#cells.delete(key)
      this.#onEvent({ type: 'released', script: key, message: `${key} goes back to the others: it has not exceeded a limit for a while.` })
      if (![...this.#cells.values()].some((cell) => cell.process === process)) void process.then((retired) => this.#retired.set(retired, now))
    }
    for (const [process, since] of this.#retired) {
      const isOver = now - since > RETIREMENT_MS && (process.activity.quietSince !== undefined || now - since > LONGEST_RETIREMENT_MS)
      if (!isOver) continue
      this.#retired.delete(process)
      process.kill()
    }
  }
}
