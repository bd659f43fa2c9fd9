/** How a breaker judges, in milliseconds and calls. */
export interface BreakerRules {
  /** Calls are counted by stretches of this length. */
  windowMs: number
  /** So many failures within a stretch open it, if they are at least half of its calls. */
  failures: number
  /** How long nothing is let through. */
  openMs: number
  /** A trial that has not ended by then is taken for lost, and another one is let through. */
  trialMs: number
}

/** What a call was let through as. */
export type Pass = 'call' | 'trial'

/**
 * Lets nothing through to a service that failed again and again, and after a while one call to try it. It knows no clock: whoever asks says when, in milliseconds since
 * 1970. How a call ended that was let through before it opened changes nothing any more.
 */
export class Breaker {
  readonly #rules: BreakerRules
  #since = 0
  #calls = 0
  #failures = 0
  /** Until when nothing is let through; 0 while it is closed. */
  #openUntil = 0
  /** Until when a trial is awaited; 0 where there is none. */
  #trialUntil = 0

  constructor(rules: BreakerRules) {
    this.#rules = rules
  }

  /** Whether calls go through as ever. */
  get isClosed(): boolean {
    return this.#openUntil === 0
  }

  /** What a call is let through as; otherwise how many milliseconds to wait before another is worth it. */
  enter(now: number): Pass | number {
    if (this.#openUntil === 0) return 'call'
    const waitMs = Math.max(this.#openUntil, this.#trialUntil) - now
    if (waitMs > 0) return waitMs
    this.#trialUntil = now + this.#rules.trialMs
    return 'trial'
  }

  /** Tells how a call that was let through ended: whether the service failed, whatever it answered. */
  leave(pass: Pass, isFailure: boolean, now: number): void {
    if (pass === 'trial') return this.#judge(isFailure, now)
    if (this.#openUntil !== 0) return
    if (now - this.#since >= this.#rules.windowMs || now < this.#since) this.#begin(now)
    this.#calls++
    if (!isFailure) return
    this.#failures++
    if (this.#failures >= this.#rules.failures && this.#failures * 2 >= this.#calls) this.#open(now)
  }

  #judge(isFailure: boolean, now: number): void {
    // A trial that was taken for lost ended after all: by now others decide.
    if (this.#trialUntil === 0) return
    if (isFailure) return this.#open(now)
    this.#openUntil = 0
    this.#trialUntil = 0
    this.#begin(now)
  }

  #open(now: number): void {
    this.#openUntil = now + this.#rules.openMs
    this.#trialUntil = 0
  }

  #begin(now: number): void {
    this.#since = now
    this.#calls = 0
    this.#failures = 0
  }
}
