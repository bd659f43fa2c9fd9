import { DatabaseError } from './engine.ts'

interface Waiter {
  start(): void
  refuse(error: DatabaseError): void
  /** It has waited as long as it should, behind others that each took a moment; a transaction in front of it is one too many. */
  isOverdue: boolean
  timer: NodeJS.Timeout | undefined
}

/** A place in the queue. */
export interface Turn {
  /** Settles once it is this one's turn. Fails when a transaction holds the turn for too long. */
  taken: Promise<void>
  /** Gives the place up, with this as the reason. Without effect once the turn was taken. */
  leave(reason: DatabaseError): void
}

/**
 * Who may use the one backend, one after another in the order they came. Whoever works for a moment is waited for; whoever keeps his turn, with a transaction open,
 * is waited for until `patienceMs` are over, and then those who wait are refused.
 */
export class Turns {
  readonly #patienceMs: number
  readonly #waiting = new Set<Waiter>()
  #isTaken = false
  #isKept = false

  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs
  }

  /** Asks for a turn. The owner, whose migrations may not be refused, is patient for ever. */
  ask(isPatient = false): Turn {
    if (!this.#isTaken) {
      this.#isTaken = true
      return { taken: Promise.resolve(), leave: () => undefined }
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const waiter: Waiter = { start: resolve, refuse: reject, isOverdue: false, timer: undefined }
    if (!isPatient) waiter.timer = setTimeout(() => this.#expire(waiter), this.#patienceMs)
    this.#waiting.add(waiter)
    return { taken: promise, leave: (reason) => this.#refuse(waiter, reason) }
  }

  /** Tells that the holder will keep his turn between one piece of work and the next. */
  keep(): void {
    this.#isKept = true
    for (const waiter of this.#waiting) if (waiter.isOverdue) this.#refuse(waiter, busy())
  }

  /** Ends the holder's turn. */
  pass(): void {
    this.#isKept = false
    const [next] = this.#waiting
    this.#isTaken = next !== undefined
    if (!next) return
    this.#forget(next)
    next.start()
  }

  #expire(waiter: Waiter): void {
    waiter.isOverdue = true
    if (this.#isKept) this.#refuse(waiter, busy())
  }

  #refuse(waiter: Waiter, reason: DatabaseError): void {
    if (!this.#waiting.has(waiter)) return
    this.#forget(waiter)
    waiter.refuse(reason)
  }

  #forget(waiter: Waiter): void {
    clearTimeout(waiter.timer)
    this.#waiting.delete(waiter)
  }
}

function busy(): DatabaseError {
  return new DatabaseError('Another transaction holds the database', { code: '53300', severity: 'ERROR' })
}
