/** What a window says of one call. Seconds are rounded up, so that waiting that long is enough. */
export interface WindowDecision {
  allowed: boolean
  remaining: number
  /** Until the window is empty or, on a refusal, until the call fits. */
  resetSeconds: number
}

/** The length of the window, in seconds. */
export const WINDOW_SECONDS = 60

/** For so long what was leased may be used after it was counted. */
export const LEASE_SECONDS = 1

/**
 * Counts calls over the last minute, by the second. In no 60 seconds are there more than the limit; a call counts until the whole second it fell into is
 * 60 seconds old, so the window may refuse up to a second early but is never over. What is counted ahead of its use counts for a second longer.
 */
export class RateWindow {
  /** Seconds in which something was counted, oldest first, and how much: a window of one call, which most are, holds one of each. */
  readonly #seconds: number[]
  readonly #counts: number[]
  /** For how many seconds a second counts. */
  readonly #span: number
  readonly #isLeased: boolean
  /** The last second that was seen. */
  #second: number
  #total: number

  /** `kept` is what `state` gave earlier. */
  constructor(kept?: WindowState, { isLeased = false }: { isLeased?: boolean } = {}) {
    this.#seconds = kept?.seconds ? [...kept.seconds] : []
    this.#counts = kept?.seconds ? [...kept.counts] : []
    this.#isLeased = isLeased || kept?.isLeased === true
    this.#span = WINDOW_SECONDS + 1 + (this.#isLeased ? LEASE_SECONDS : 0)
    this.#second = this.#seconds.at(-1) ?? 0
    this.#total = this.#counts.reduce((sum, count) => sum + count, 0)
  }

  /** What must be kept to go on counting after a restart. */
  get state(): WindowState {
    return { seconds: [...this.#seconds], counts: [...this.#counts], isLeased: this.#isLeased }
  }

  /** The second that was counted into last. */
  get second(): number {
    return this.#second
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
    if (allowed) this.#add(cost)
    // A call that was just counted is the last to leave the window.
    const resetSeconds = allowed ? this.#span : this.#secondsUntilAtMost(Math.max(0, limit - cost))
    return { allowed, remaining: Math.max(0, limit - this.#total), resetSeconds }
  }

  /** Takes back what was counted into a second and is known not to be used; what no longer counts is not taken back twice. */
  giveBack(nowMs: number, { second, units }: { second: number; units: number }): void {
    this.#moveTo(nowMs)
    const index = this.#seconds.lastIndexOf(second)
    if (index === -1) return
    const taken = Math.min(units, this.#counts[index] ?? 0)
    this.#counts[index] = (this.#counts[index] ?? 0) - taken
    this.#total -= taken
  }

  #add(cost: number): void {
    const last = this.#seconds.length - 1
    if (this.#seconds[last] === this.#second) this.#counts[last] = (this.#counts[last] ?? 0) + cost
    else {
      this.#seconds.push(this.#second)
      this.#counts.push(cost)
    }
    this.#total += cost
  }

  /** Seconds until no more than `total` counts. */
  #secondsUntilAtMost(total: number): number {
    let left = this.#total
    for (const [index, second] of this.#seconds.entries()) {
      left -= this.#counts[index] ?? 0
      if (left <= total) return second + this.#span - this.#second
    }
    return this.#span
  }

  /** A clock that jumps back counts into the last known second, so a jump frees nothing. */
  #moveTo(nowMs: number): void {
    this.#second = Math.max(Math.floor(nowMs / 1000), this.#second)
    let past = 0
    while (past < this.#seconds.length && (this.#seconds[past] ?? 0) + this.#span <= this.#second) {
      this.#total -= this.#counts[past] ?? 0
      past += 1
    }
    if (past === 0) return
    this.#seconds.splice(0, past)
    this.#counts.splice(0, past)
  }
}

/** A window's counts, and the second each fell into, oldest first. */
export interface WindowState {
  seconds: number[]
  counts: number[]
  /** Whether it is counted on ahead of use. */
  isLeased: boolean
}
