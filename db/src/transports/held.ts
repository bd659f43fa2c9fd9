import { ServiceError } from '@dot-do/worker-utils'
import type { Rows, Statement } from '../database.ts'
import { after, within } from './limits.ts'
import type { Session } from './session.ts'

/** A connection that nobody has used for so long is closed. */
const IDLE_LIMIT_MS = 30_000

/** How long one waits for others' batches on the same connection. */
const QUEUE_LIMIT_MS = 5_000

/**
 * One connection that is kept and used by one batch after another. One that broke is replaced by the next batch; what it was running then has failed, and is not sent
 * again: it may have been done.
 */
export class HeldConnection {
  readonly #open: () => Promise<Session>
  #session: Session | undefined
  #last: Promise<unknown> = Promise.resolve()
  #stayOpen: () => void = () => undefined

  constructor(open: () => Promise<Session>) {
    this.#open = open
  }

  run(statements: readonly Statement[], isReadOnly: boolean): Promise<Rows[]> {
    const before = this.#last
    const turn = within(QUEUE_LIMIT_MS, before, () => undefined).catch(() => {
      throw new ServiceError('UNAVAILABLE', 'The database has too much to do')
    })
    const run = turn.then(() => this.#run(statements, isReadOnly))
    // One that was refused is over before those in front of it are.
    this.#last = Promise.allSettled([before, run])
    return run
  }

  close(): void {
    this.#stayOpen()
    this.#session?.close()
    this.#session = undefined
  }

  async #run(statements: readonly Statement[], isReadOnly: boolean): Promise<Rows[]> {
    this.#stayOpen()
    if (!this.#session?.isOpen) this.#session = await this.#open()
    try {
      return await this.#session.batch(statements, isReadOnly)
    } finally {
      this.#stayOpen = after(IDLE_LIMIT_MS, () => this.close())
    }
  }
}
