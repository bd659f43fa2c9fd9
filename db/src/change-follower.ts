import { generateId, log, retry } from '@dot-do/worker-utils'
import { readChanges, type ChangePage, type Selection, type ToldChange } from './changes.ts'
import { connectionAs } from './database.ts'
import type { Env } from './env.ts'

/** Durations of a feed, in milliseconds. */
export interface FeedTimes {
  /** After so long without a change it says that it is there still. */
  quietMs: number
  /** After so long it ends, and whoever comes back for more is asked anew who they are. */
  lifeMs: number
  /** A database that fails is tried again for so long; then it ends too. */
  outageMs: number
}

/** How long at most one call to the watch lasts: so long may somebody be waited for who is gone. */
const WAIT_MS = 5_000

/** How far apart at most the database is tried again. */
const RETRY_CAP_MS = 2_000

/** Follows the changes of one namespace from a position on. It does nothing but when it is asked what comes next, and holds no more than one page. */
export class ChangeFollower {
  readonly #id = generateId('wait')
  readonly #selection: Selection
  readonly #env: Env
  readonly #times: FeedTimes
  readonly #endsAt: number
  #after: number
  #isCaughtUp = false
  #isOver = false

  constructor(selection: Selection, from: { after: number; times: FeedTimes }, env: Env) {
    this.#selection = selection
    this.#after = from.after
    this.#times = from.times
    this.#endsAt = Date.now() + from.times.lifeMs
    this.#env = env
  }

  /** Up to which position everything is told. */
  get position(): number {
    return this.#after
  }

  /** What comes next: changes, or none of them when it has been quiet for long; undefined when the feed is over. */
  async next(): Promise<ToldChange[] | undefined> {
    const quietAt = Math.min(Date.now() + this.#times.quietMs, this.#endsAt)
    try {
      do {
        const changes = await this.#advance(quietAt)
        if (changes.length > 0) return changes
      } while (!this.#isOver && Date.now() < quietAt)
      return this.#isOver || Date.now() >= this.#endsAt ? undefined : []
    } catch (cause) {
      log('error', 'change_feed_ended', { ns: this.#selection.ns, after: this.#after, cause })
      return undefined
    }
  }

  /** Ends it; what is waited for is waited for no longer. */
  async end(): Promise<void> {
    this.#isOver = true
    await this.#watch().leave(this.#id)
  }

  /** Waits for news where there were none, and reads a page. */
  async #advance(until: number): Promise<ToldChange[]> {
    if (this.#isCaughtUp && !(await this.#hasNews(until))) return []
    const { changes, through, isLast } = await this.#persist(() => this.#read())
    this.#after = through
    this.#isCaughtUp = isLast
    return changes
  }

  async #read(): Promise<ChangePage> {
    return readChanges(await connectionAs('db', this.#env), this.#selection, this.#after)
  }

  #hasNews(until: number): Promise<boolean> {
    const { ns } = this.#selection
    return this.#persist(async () => {
      const forMs = Math.min(WAIT_MS, until - Date.now())
      return forMs > 0 && this.#watch().changed({ id: this.#id, ns, after: this.#after, forMs })
    })
  }

  /** The one watch there is; a new stub each time, since one that failed stays broken. */
  #watch(): ReturnType<Env['ChangeWatches']['getByName']> {
    return this.#env.ChangeWatches.getByName('everything')
  }

  #persist<Result>(attempt: () => Promise<Result>): Promise<Result> {
    const giveUpAt = Date.now() + this.#times.outageMs
    return retry(attempt, { attempts: Infinity, capMs: RETRY_CAP_MS, isRetryable: () => !this.#isOver && Date.now() < giveUpAt })
  }
}
