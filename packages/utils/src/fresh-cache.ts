import { BoundedCache } from './lru.ts'

/** How long an answer is taken as it is, and how long it serves while a newer one is on its way. Both count from when it was asked for. */
export interface Freshness {
  freshMs: number
  staleMs: number
  maxEntries: number
  /** Whether an answer that is too old still serves when no newer one can be had. */
  keepOnError?: boolean
  /** Milliseconds since 1970; the clock of the runtime unless a test brings its own. */
  now?: () => number
}

/** What keeps a promise going when the request that began it is over. */
export type WaitUntil = (promise: Promise<unknown>) => void

interface Entry<Value> {
  value: Value
  askedAt: number
}

/** The longest that anything is kept, to serve when no newer answer can be had: an hour. */
const KEPT_MS = 3_600_000

/**
 * Answers of somebody else, kept for a moment: served as they are while fresh, served once more while they are asked for anew, and waited for when they are old.
 * However many ask at a time, the question is put once. It is bounded, and forgets first what was unused for longest.
 */
export class FreshCache<Value> {
  readonly #entries: BoundedCache<string, Entry<Value>>
  readonly #asked = new Map<string, Promise<Value>>()
  readonly #options: Required<Freshness>

  constructor(options: Freshness) {
    this.#options = { keepOnError: false, now: Date.now, ...options }
    const { maxEntries, staleMs, keepOnError, now } = this.#options
    this.#entries = new BoundedCache({ maxEntries, ttlMs: keepOnError ? KEPT_MS : staleMs, now })
  }

  /** The answer to a question named `key`. Whatever is asked anew goes to `waitUntil` too: others may wait for it when the first is gone. */
  async get(key: string, ask: () => Promise<Value>, waitUntil: WaitUntil): Promise<Value> {
    const { freshMs, staleMs, keepOnError, now } = this.#options
    const known = this.#entries.get(key)
    const ageMs = known ? now() - known.askedAt : Infinity
    if (known && ageMs < freshMs) return known.value
    const asked = this.#ask(key, ask, waitUntil)
    if (known && ageMs < staleMs) return known.value
    return known && keepOnError ? asked.catch(() => known.value) : asked
  }

  /** Lets the next one ask anew, also if somebody is asking already: what they hear may be from before. */
  forget(key: string): void {
    this.#entries.delete(key)
    this.#asked.delete(key)
  }

  #ask(key: string, ask: () => Promise<Value>, waitUntil: WaitUntil): Promise<Value> {
    const underWay = this.#asked.get(key)
    if (underWay) return underWay
    const askedAt = this.#options.now()
    const asked: Promise<Value> = ask()
      .then((value) => {
        if (this.#asked.get(key) === asked) this.#entries.set(key, { value, askedAt })
        return value
      })
      .finally(() => {
        if (this.#asked.get(key) === asked) this.#asked.delete(key)
      })
    this.#asked.set(key, asked)
    waitUntil(asked.catch(() => undefined))
    return asked
  }
}
