/** How much a BoundedCache keeps and for how long. */
export interface BoundedCacheOptions {
  maxEntries: number
  ttlMs: number
  /** Milliseconds since 1970; the clock of the runtime unless a test brings its own. */
  now?: () => number
}

/**
 * A map that holds at most `maxEntries`, each for at most `ttlMs` after it was set. The entry unused for longest goes first.
 *
 * Every operation is O(1) by Map's insertion order. There are no timers: an expired entry goes when it is asked for or pushed out.
 */
export class BoundedCache<Key, Value> {
  readonly #entries = new Map<Key, { value: Value; expiresAt: number }>()
  readonly #maxEntries: number
  readonly #ttlMs: number
  readonly #now: () => number

  constructor({ maxEntries, ttlMs, now = Date.now }: BoundedCacheOptions) {
    this.#maxEntries = maxEntries
    this.#ttlMs = ttlMs
    this.#now = now
  }

  /** How many entries are held, those included that expired unasked. */
  get size(): number {
    return this.#entries.size
  }

  /** The value, unless it was never set, has expired or was evicted. Reading makes an entry the youngest but does not prolong it. */
  get(key: Key): Value | undefined {
    const entry = this.#entries.get(key)
    if (!entry) return undefined
    this.#entries.delete(key)
    if (entry.expiresAt <= this.#now()) return undefined
    this.#entries.set(key, entry)
    return entry.value
  }

  /** Keeps a value; its time starts anew. */
  set(key: Key, value: Value): void {
    this.#entries.delete(key)
    this.#entries.set(key, { value, expiresAt: this.#now() + this.#ttlMs })
    if (this.#entries.size <= this.#maxEntries) return
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest)
      return
    }
  }

  /** Forgets an entry, and says whether there was one. */
  delete(key: Key): boolean {
    return this.#entries.delete(key)
  }
}
