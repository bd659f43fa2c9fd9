/** Lets one piece of work run at a time under a key, in the order asked for. Keys nobody waits for take no memory. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>()

  /** Runs the work once all earlier work under this key has ended, well or badly. Work must not ask for a turn under its own key: it would wait for itself. */
  run<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    const before = this.#last.get(key) ?? Promise.resolve()
    const result = before.then(work, work)
    const settled: Promise<void> = result.then(
      () => this.#forget(key, settled),
      () => this.#forget(key, settled),
    )
    this.#last.set(key, settled)
    return result
  }

  /** Waits for the work that is under way or waiting under the keys with this prefix. */
  async settled(prefix: string): Promise<void> {
    await Promise.all([...this.#last].filter(([key]) => key.startsWith(prefix)).map(([, last]) => last))
  }

  #forget(key: string, settled: Promise<void>): void {
    if (this.#last.get(key) === settled) this.#last.delete(key)
  }
}
