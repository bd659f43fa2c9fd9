import { log } from '@dot-do/worker-utils'
import type { LatestPositions } from './changes.ts'

/** Who waits, and for what. */
export interface Wish {
  /** Names who waits, to be called off by. */
  id: string
  ns: string
  /** The position after which a change is news. */
  after: number
  /** How long it is worth waiting, in milliseconds. */
  forMs: number
}

/** How often is looked, while anybody waits. */
const LOOK_MS = 25

/** How long a database that failed is left alone. */
const REST_MS = 1_000

interface Waiter extends Wish {
  tell(hasChanged: boolean): void
}

/** Looks for changes on behalf of everybody who waits for some: one query for all of them, and none while nobody waits. */
export class ChangeWaiters {
  readonly #latest: (after: number | undefined, namespaces: string[]) => Promise<LatestPositions>
  readonly #waiting = new Map<string, Waiter>()
  /** Namespaces of those who came since the last look, whose changes may be older than that. */
  readonly #arrived = new Set<string>()
  #isLooking = false

  constructor(latest: (after: number | undefined, namespaces: string[]) => Promise<LatestPositions>) {
    this.#latest = latest
  }

  /** How many wait. */
  get size(): number {
    return this.#waiting.size
  }

  /** Resolves once the namespace has a change after the position, with true; or when the time is over, with false. */
  changed(wish: Wish): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#tell(wish.id, false), wish.forMs)
      const tell = (hasChanged: boolean): void => {
        clearTimeout(timer)
        resolve(hasChanged)
      }
      this.#waiting.set(wish.id, { ...wish, tell })
      this.#arrived.add(wish.ns)
      if (!this.#isLooking) void this.#look()
    })
  }

  /** Lets somebody wait no longer. */
  leave(id: string): void {
    this.#tell(id, false)
  }

  #tell(id: string, hasChanged: boolean): void {
    const waiter = this.#waiting.get(id)
    this.#waiting.delete(id)
    waiter?.tell(hasChanged)
  }

  async #look(): Promise<void> {
    this.#isLooking = true
    let last: number | undefined
    while (this.#waiting.size > 0) {
      last = await this.#lookOnce(last)
      if (this.#waiting.size > 0) await new Promise((resolve) => setTimeout(resolve, last === undefined ? REST_MS : LOOK_MS))
    }
    this.#isLooking = false
    this.#arrived.clear()
  }

  /** Looks for what came after a position, or, without one, at every namespace that is waited for; up to where it looked, or undefined when it could not. */
  async #lookOnce(after: number | undefined): Promise<number | undefined> {
    const namespaces = after === undefined ? new Set([...this.#waiting.values()].map(({ ns }) => ns)) : new Set(this.#arrived)
    this.#arrived.clear()
    try {
      const { last, byNamespace } = await this.#latest(after, [...namespaces])
      for (const { id, ns, after: known } of this.#waiting.values()) if ((byNamespace.get(ns) ?? 0) > known) this.#tell(id, true)
      return last
    } catch (cause) {
      log('warn', 'change_watch_failed', { cause })
      return undefined
    }
  }
}
