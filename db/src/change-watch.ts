import { DurableObject } from 'cloudflare:workers'
import { ChangeWaiters, type Wish } from './change-waiters.ts'
import { readLatest } from './changes.ts'
import { connectionAs } from './database.ts'
import type { Env } from './env.ts'

/** Tells when something changed. There is one for everybody, so that the database is asked once however many wait. It keeps nothing: whoever waited when it ended asks again. */
export class ChangeWatch extends DurableObject<Env> {
  readonly #waiters = new ChangeWaiters(async (after, namespaces) => readLatest(await connectionAs('db', this.env), after, namespaces))

  /** Resolves once the namespace has a change after the position, with true; or when the time is over, with false. */
  changed(wish: Wish): Promise<boolean> {
    return this.#waiters.changed(wish)
  }

  /** Lets somebody wait no longer. */
  leave(id: string): void {
    this.#waiters.leave(id)
  }
}
