import { DurableObject } from 'cloudflare:workers'
import { log, toServiceError } from '@dot-do/worker-utils'
import { insertLines } from './analytics/clickhouse.ts'
import type { Piece } from './analytics/pieces.ts'
import { Spool, type SpooledEntry } from './analytics/spool.ts'
import type { Env } from './env.ts'

/** Events wait this long for others to be written with. */
const FLUSH_MS = 1_000

/** The longest wait before a batch that was not written is sent again. */
const MAX_WAIT_MS = 10_000

/** An alarm writes at most this many batches before it makes way for the next. */
const BATCHES_PER_ALARM = 100

/**
 * Keeps events until ClickHouse has them. What is appended survives whatever ends the process; it is sent in batches, again and again until ClickHouse says yes,
 * each always under the same token, so that it is written once.
 */
export class EventSpool extends DurableObject<Env> {
  readonly #spool = new Spool(this.ctx.storage)
  #isFlushing = false
  /** When the next flush is due, in milliseconds since 1970; undefined while none is. */
  #dueAt: number | undefined
  #failures = 0
  #failure: string | undefined

  /** Keeps events, and with them the answer of a keyed call. */
  async append(pieces: Piece[], entry?: SpooledEntry): Promise<void> {
    this.#spool.append(pieces, entry)
    await this.#flushLater()
  }

  /** What a keyed call was answered. */
  find(principal: string, key: string): { inputHash: string; answer: string } | undefined {
    return this.#spool.find(principal, key)
  }

  /** How many events wait, and why if not just for the others of their second. */
  state(): { waiting: number; failure?: string } {
    return { waiting: this.#spool.events, ...(this.#failure !== undefined && { failure: this.#failure }) }
  }

  override async alarm(): Promise<void> {
    this.#isFlushing = true
    this.#dueAt = undefined
    try {
      await this.#flush()
      this.#failures = 0
      this.#failure = undefined
    } catch (thrown) {
      const { code, message, cause } = toServiceError(thrown)
      if (this.#failure !== message) log('warn', 'events_wait', { waiting: this.#spool.events, code, message, cause })
      this.#failures += 1
      this.#failure = message
    } finally {
      this.#isFlushing = false
    }
    if (this.#spool.events > 0) await this.#flushLater()
  }

  /** Writes until too little is left for a batch. */
  async #flush(): Promise<void> {
    for (let count = 0; count < BATCHES_PER_ALARM; count++) {
      const batch = this.#spool.nextBatch()
      if (!batch) return
      await insertLines('events', { lines: this.#spool.linesOf(batch), token: batch.token }, this.env)
      this.#spool.delivered(batch)
      if (!this.#spool.isBatchFull) return
    }
  }

  async #flushLater(): Promise<void> {
    if (this.#isFlushing) return
    const dueAt = Date.now() + this.#waitMs()
    if (this.#dueAt !== undefined && (this.#failures > 0 || this.#dueAt <= dueAt)) return
    this.#dueAt = dueAt
    await this.ctx.storage.setAlarm(dueAt)
  }

  #waitMs(): number {
    if (this.#failures > 0) return Math.min(FLUSH_MS * 2 ** (this.#failures - 1), MAX_WAIT_MS)
    return this.#spool.isBatchFull ? 0 : FLUSH_MS
  }
}
