/** What was counted since it was last told. */
export interface Counts {
  requests: number
  errors: number
}

/** How counts wait. */
export interface BatchOptions {
  /** The least time between two reports. */
  everyMs?: number
  /** The least time where there are errors to tell. */
  errorsEveryMs?: number
  /** So many names are remembered; the one that was counted first goes first. */
  maxNames?: number
  wait?: (ms: number) => Promise<unknown>
  now?: () => number
}

interface Batch extends Counts {
  sentAt: number
  /** Until then, at the longest, a report is under way. What began it may be cut off, and then never says so. */
  busyUntil: number
  /** Ends the wait of the report that is under way. */
  hurry: () => void
}

/** The longest that a report is waited for, in milliseconds. */
const REPORT_MS = 10_000

/** Gathers counts by name into reports: one at a time for each name, a second apart, but sooner where there are errors. A report that fails is counted into the next one. */
export class CountBatches {
  readonly #batches = new Map<string, Batch>()
  readonly #options: Required<BatchOptions>

  constructor(options: BatchOptions = {}) {
    this.#options = { everyMs: 1_000, errorsEveryMs: 100, maxNames: 1_000, wait: (ms) => scheduler.wait(ms), now: Date.now, ...options }
  }

  /** Counts one. A promise, if this begins a report: it settles when everything counted by then is told. */
  add(name: string, isError: boolean, send: (counts: Counts) => Promise<void>): Promise<void> | undefined {
    const batch = this.#batch(name)
    batch.requests += 1
    batch.errors += Number(isError)
    if (isError) batch.hurry()
    const now = this.#options.now()
    if (now < batch.busyUntil) return undefined
    batch.busyUntil = now + REPORT_MS
    return this.#report(batch, send)
  }

  #batch(name: string): Batch {
    const known = this.#batches.get(name)
    if (known) return known
    const batch: Batch = { requests: 0, errors: 0, sentAt: 0, busyUntil: 0, hurry: () => undefined }
    const [oldest] = this.#batches.keys()
    if (oldest !== undefined && this.#batches.size >= this.#options.maxNames) this.#batches.delete(oldest)
    this.#batches.set(name, batch)
    return batch
  }

  /** One report, and another if errors came in meanwhile; whatever else did waits for the next that is counted. */
  async #report(batch: Batch, send: (counts: Counts) => Promise<void>): Promise<void> {
    try {
      await this.#pause(batch)
      await this.#send(batch, send)
      if (batch.errors === 0) return
      await this.#pause(batch)
      await this.#send(batch, send)
    } finally {
      batch.busyUntil = 0
    }
  }

  async #send(batch: Batch, send: (counts: Counts) => Promise<void>): Promise<void> {
    const { requests, errors } = batch
    batch.requests = 0
    batch.errors = 0
    batch.sentAt = this.#options.now()
    await send({ requests, errors }).catch((thrown: unknown) => {
      batch.requests += requests
      batch.errors += errors
      throw thrown
    })
  }

  /** Waits until enough time has passed since the last report; less of it as soon as there is an error to tell. */
  async #pause(batch: Batch): Promise<void> {
    const { everyMs, errorsEveryMs } = this.#options
    if (batch.errors === 0) {
      const { promise, resolve } = Promise.withResolvers<void>()
      batch.hurry = resolve
      await Promise.race([promise, this.#until(batch.sentAt + everyMs)])
      batch.hurry = () => undefined
    }
    if (batch.errors > 0) await this.#until(batch.sentAt + errorsEveryMs)
  }

  async #until(timeMs: number): Promise<void> {
    const restMs = timeMs - this.#options.now()
    if (restMs > 0) await this.#options.wait(restMs)
  }
}
