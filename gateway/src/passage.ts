import { isErrorCode, ServiceError } from '@dot-do/worker-utils'
import { Breaker, type BreakerRules } from './breaker.ts'

/** Five calls in ten seconds that were lost, and at least every other one, and for five seconds no more are sent. */
const RULES: BreakerRules = { windowMs: 10_000, failures: 5, openMs: 5_000, trialMs: 30_000 }

/** One for each service that is routed to: so many there are, and no more. */
const breakers = new Map<string, Breaker>()

/** One call to a service, as far as the way there is concerned. */
export interface Passage {
  service: string
  /** How long to wait for the answer, of a stream for its beginning. */
  timeoutMs: number
  /** Whether the same call again does no harm. */
  isRepeatable: boolean
}

/** A call that was not made, since those before it were lost. */
export class HeldBack extends ServiceError {
  readonly retryAfterSeconds: number

  constructor(service: string, waitMs: number) {
    super('UNAVAILABLE', `${service} does not answer; it is tried again in a moment`)
    this.retryAfterSeconds = Math.ceil(waitMs / 1_000)
  }
}

/** An answer that did not come in time. */
class TooLate extends ServiceError {
  constructor(service: string, timeoutMs: number) {
    super('UNAVAILABLE', `${service} did not answer within ${timeoutMs / 1_000} s`)
  }
}

/**
 * Makes a call to a service: for as long as it may take, once more where that does no harm and the service was away, and not at all while the service is known to be
 * gone. A service that answers is there, whatever it answers; so nothing that callers do wrong, and no outage that a service itself tells of, counts against it.
 */
export async function pass<Answer>(passage: Passage, perform: () => Promise<Answer>): Promise<Answer> {
  const { service, timeoutMs, isRepeatable } = passage
  const breaker = breakerOf(service)
  const entered = breaker.enter(Date.now())
  if (typeof entered === 'number') throw new HeldBack(service, entered)
  try {
    const answer = await inTime(passage, perform)
    breaker.leave(entered, false, Date.now())
    return answer
  } catch (thrown) {
    const isLost = isLoss(thrown)
    breaker.leave(entered, isLost, Date.now())
    if (isRepeatable && isWorthAnother(thrown)) return pass({ service, timeoutMs, isRepeatable: false }, perform)
    throw isLost && !(thrown instanceof TooLate) ? new ServiceError('UNAVAILABLE', `${service} cannot be reached at the moment`, { cause: thrown }) : thrown
  }
}

/** Waits for an answer for so long, and for no longer. What is under way is not stopped by this. */
export function inTime<Answer>({ service, timeoutMs }: Pick<Passage, 'service' | 'timeoutMs'>, perform: () => Promise<Answer>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new TooLate(service, timeoutMs)), timeoutMs)
    perform().then(
      (answer) => {
        clearTimeout(timer)
        resolve(answer)
      },
      (thrown: unknown) => {
        clearTimeout(timer)
        reject(thrown instanceof Error ? thrown : new TypeError(String(thrown)))
      },
    )
  })
}

/** Whether this isolate sends a service nothing at the moment. */
export function isHeldBack(service: string): boolean {
  return breakers.get(service)?.isClosed === false
}

function breakerOf(service: string): Breaker {
  const known = breakers.get(service)
  if (known) return known
  const made = new Breaker(RULES)
  breakers.set(service, made)
  return made
}

/** workerd's words for an answer that is too large for a call between Workers; which answers are, callers decide. */
const TOO_LARGE = /limited to \d+ ?MiB/

/** Whether no answer came at all. What a service says has a code, also what it says of its own faults; what has none is the runtime's: the Worker is gone or broken. */
function isLoss(thrown: unknown): boolean {
  if (thrown instanceof TooLate) return true
  if (!(thrown instanceof Error) || ('code' in thrown && isErrorCode(thrown.code))) return false
  return thrown.name !== 'DataCloneError' && !TOO_LARGE.test(thrown.message)
}

/** Whether a second try may end better: the Worker was gone, or said that it was not to be had. Who waited in vain does not wait twice. */
function isWorthAnother(thrown: unknown): boolean {
  if (thrown instanceof TooLate || thrown instanceof HeldBack) return false
  return isLoss(thrown) || (thrown instanceof Error && 'code' in thrown && thrown.code === 'UNAVAILABLE')
}
