import { BoundedCache } from '@dot-do/worker-utils'
import { LEASE_SECONDS, type WindowDecision } from './rate-window.ts'

/** Units of a limit that a counter has counted and an isolate has not used; only the counter that lent them can take them back. */
export interface Loan {
  units: number
  /** The window they were counted on, which may be one that several share. */
  window: string
  /** The second they were counted into, by the counter's clock. */
  second: number
  /** The counter's life: what it forgot in a crash must not be taken off what others counted since. */
  life: string
}

/** What an isolate asks of a counter besides the call at hand. */
export interface LoanWish {
  /** How many units it wants to use by itself during the next second. */
  want: number
  /** What it did not use of an earlier loan. */
  returned?: Loan | undefined
}

/** What a counter answers. `remaining` counts all that is lent as used. */
export interface Lent extends WindowDecision {
  loan: Loan
}

/** The share of a limit that an isolate may hold. */
const SHARE = 0.01

/** So many principals or addresses hold something at a time; what is pushed out is lost to them, as if it were used. */
const MAX_HELD = 10_000

const LEASE_MS = LEASE_SECONDS * 1000

interface Holding {
  loan: Loan
  remaining: number
  resetSeconds: number
  /** When the loan was asked for, by this isolate's clock. It is used for a second from then on, so for less than one since it was counted. */
  askedAt: number
  /** How many were asked for last: twice as many each time they did not last for their second. */
  size: number
  /** While a question is under way others ask for their own call only, or an isolate would hold many shares. */
  isAsking: boolean
}

/** How many units of a limit one isolate may hold at most. */
export function shareOf(limit: number): number {
  return Math.floor(limit * SHARE)
}

/**
 * What one isolate may use of large limits without asking. The counter has counted it already, so limits are never passed; what is left when a loan's second is
 * over goes back. Who comes seldom is lent nothing: the size of a loan follows from how fast the last one went.
 */
export class Leases {
  readonly #held = new BoundedCache<string, Holding>({ maxEntries: MAX_HELD, ttlMs: 60_000 })

  /** Uses what is held; undefined where that is not enough, or its second is over. */
  take(key: string, cost: number, now: number): WindowDecision | undefined {
    const held = this.#held.get(key)
    if (!held || held.loan.units < cost || !isCurrent(held, now)) return undefined
    held.loan.units -= cost
    return { allowed: true, remaining: held.remaining, resetSeconds: held.resetSeconds }
  }

  /** What to ask the counter for, with what is held going back. */
  wish(key: string, limit: number, now: number): LoanWish {
    const held = this.#held.get(key) ?? { loan: NOTHING, remaining: 0, resetSeconds: 0, askedAt: Number.NEGATIVE_INFINITY, size: 0, isAsking: false }
    if (held.isAsking && isCurrent(held, now)) return { want: 0 }
    const left = held.loan.units
    const size = isCurrent(held, now) ? Math.max(1, held.size * 2) : Math.max(0, held.size - left)
    const want = Math.min(size, shareOf(limit))
    this.#held.set(key, { ...held, loan: NOTHING, askedAt: now, size: want, isAsking: true })
    return { want, ...(left > 0 && { returned: held.loan }) }
  }

  /** Holds what was lent to a wish of this moment. False if it came too late, so that it must go back. */
  hold(key: string, { loan, remaining, resetSeconds }: Lent, askedAt: number): boolean {
    const held = this.#held.get(key)
    if (held?.askedAt !== askedAt || !held.isAsking) return loan.units === 0
    this.#held.set(key, { ...held, loan: { ...loan }, remaining, resetSeconds, isAsking: false })
    return true
  }

  /** What is left of a loan whose second is over, to be returned once. */
  leftover(key: string, askedAt: number): Loan | undefined {
    const held = this.#held.get(key)
    if (held?.askedAt !== askedAt || held.loan.units === 0) return undefined
    this.#held.set(key, { ...held, loan: NOTHING, size: Math.max(0, held.size - held.loan.units) })
    return held.loan
  }
}

const NOTHING: Loan = { units: 0, window: '', second: 0, life: '' }

/** A clock that jumps back ends what is held: nobody knows for how long it has been. */
function isCurrent({ askedAt }: Holding, now: number): boolean {
  return now >= askedAt && now < askedAt + LEASE_MS
}
