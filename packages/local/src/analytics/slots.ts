import { refusal } from './refusal.ts'

/** Lets so many queries run at a time; others wait in order, and beyond so many waiting they are refused. */
export class Slots {
  #free: number
  readonly #waiting: (() => void)[] = []
  readonly #maxWaiting: number

  constructor(size: number, maxWaiting: number) {
    this.#free = size
    this.#maxWaiting = maxWaiting
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    await this.#take()
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free++
    }
  }

  #take(): Promise<void> | undefined {
    if (this.#free > 0) {
      this.#free--
      return undefined
    }
    if (this.#waiting.length >= this.#maxWaiting) throw refusal('TOO_MANY_SIMULTANEOUS_QUERIES', 'Too many simultaneous queries')
    return new Promise((resolve) => this.#waiting.push(resolve))
  }
}
