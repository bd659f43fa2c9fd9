const FIRST_BACK_OFF_MS = 1_000
const LONGEST_BACK_OFF_MS = 60_000

/** After this long without an offence a script starts over. */
const FORGIVEN_MS = 600_000
const MAX_KNOWN = 10_000

interface Offence {
  count: number
  at: number
  until: number
  error: string
}

/** Scripts that exceeded a limit, and for how long each is answered with that without being run: 1 s, 2 s, 4 s … 60 s. */
export class Offences {
  #known = new Map<string, Offence>()

  /** Notes another offence, and tells how long it holds. */
  add(key: string, error: string, now: number): number {
    const before = this.#known.get(key)
    const count = before && now - before.at < FORGIVEN_MS ? before.count + 1 : 1
    const backOffMs = Math.min(FIRST_BACK_OFF_MS * 2 ** (count - 1), LONGEST_BACK_OFF_MS)
    this.#known.delete(key)
    this.#known.set(key, { count, at: now, until: now + backOffMs, error })
    const [oldest] = this.#known.keys()
    if (this.#known.size > MAX_KNOWN && oldest !== undefined) this.#known.delete(oldest)
    return backOffMs
  }

  /** What a script is answered with in place of being run, while that lasts. */
  errorOf(key: string, now: number): string | undefined {
    const offence = this.#known.get(key)
    return offence && now < offence.until ? offence.error : undefined
  }

  /** New code has done nothing yet. */
  forgive(key: string): void {
    this.#known.delete(key)
  }
}
