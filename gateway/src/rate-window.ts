/** What a window says of one call. Seconds are rounded up, so that waiting that long is enough. */
export interface WindowDecision {
  allowed: boolean
  remaining: number
  /** Until the window is empty or, on a refusal, until the call fits. */
  resetSeconds: number
}

/** The length of the window, in seconds. */
export const WINDOW_SECONDS = 60

const BUCKETS = WINDOW_SECONDS + 1

/**
 * Counts calls over the last minute, by the second. In no 60 seconds are there more than the limit; a call counts until the whole second it fell into is
 * 60 seconds old, so the window may refuse up to a second early but is never over.
 */
export class RateWindow {
  readonly #counts: number[]
  #second: number
  #total: number

  /** `kept` is what `state` gave earlier. */
  constructor(kept?: WindowState) {
    this.#counts = kept ? [...kept.counts] : Array.from({ length: BUCKETS }, () => 0)
    this.#second = kept?.second ?? 0
    this.#total = this.#counts.reduce((sum, count) => sum + count, 0)
  }

  /** What must be kept to go on counting after a restart. */
  get state(): WindowState {
    return { second: this.#second, counts: [...this.#counts] }
  }

  /** Whether nothing counts any more, so that the window may be forgotten. */
  isEmptyAt(nowMs: number): boolean {
    this.#moveTo(nowMs)
    return this.#total === 0
  }

  /** Counts a call that costs `cost`, unless it does not fit. */
  take(nowMs: number, limit: number, cost: number): WindowDecision {
    this.#moveTo(nowMs)
    const allowed = this.#total + cost <= limit
    if (allowed) {
      this.#total += cost
      this.#counts[this.#second % BUCKETS] = (this.#counts[this.#second % BUCKETS] ?? 0) + cost
    }
    // A call that was just counted is the last to leave the window.
    const resetSeconds = allowed ? BUCKETS : this.#secondsUntilAtMost(Math.max(0, limit - cost))
    return { allowed, remaining: Math.max(0, limit - this.#total), resetSeconds }
  }

  /** Seconds until no more than `total` counts. */
  #secondsUntilAtMost(total: number): number {
    let left = this.#total
    for (let age = BUCKETS - 1; age >= 0; age--) {
      left -= this.#counts[(this.#second - age + BUCKETS * 2) % BUCKETS] ?? 0
      if (left <= total) return BUCKETS - age
    }
    return BUCKETS
  }

  /** A clock that jumps back counts into the last known second, so a jump frees nothing. */
  #moveTo(nowMs: number): void {
    const second = Math.max(Math.floor(nowMs / 1000), this.#second)
    const passed = Math.min(second - this.#second, BUCKETS)
    for (let step = 1; step <= passed; step++) {
      const bucket = (this.#second + step) % BUCKETS
      this.#total -= this.#counts[bucket] ?? 0
      this.#counts[bucket] = 0
    }
    this.#second = second
  }
}

/** A window's counts by second, newest in place `second % 61`. */
export interface WindowState {
  second: number
  counts: number[]
}
