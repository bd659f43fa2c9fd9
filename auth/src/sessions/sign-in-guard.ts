import { DurableObject } from 'cloudflare:workers'
import type { Env } from '../env.ts'
import { FORGET_MS, issue, NO_ATTEMPTS, redeem, type Attempts, type Verdict } from './attempts.ts'

const ATTEMPTS = 'attempts'

/** The one owner of an address's one-time code and of its failures, so that attempts at the same moment are counted one after another. */
export class SignInGuard extends DurableObject<Env> {
  /** Takes the hash of a new code, and says whether it may be sent. */
  async issue(hash: string, atMs: number): Promise<boolean> {
    const { attempts, sends } = issue(this.#attempts(), hash, atMs)
    if (sends) await this.#keep(attempts, atMs)
    return sends
  }

  /** Takes the hash of a code that somebody gave. */
  async redeem(hash: string, atMs: number): Promise<Verdict> {
    const { attempts, verdict } = redeem(this.#attempts(), hash, atMs)
    if (verdict.outcome !== 'locked') await this.#keep(attempts, atMs)
    return verdict
  }

  /** Nobody tried for a day. */
  override async alarm(): Promise<void> {
    await this.ctx.storage.deleteAll()
  }

  #attempts(): Attempts {
    return this.ctx.storage.kv.get<Attempts>(ATTEMPTS) ?? NO_ATTEMPTS
  }

  #keep(attempts: Attempts, atMs: number): Promise<void> {
    this.ctx.storage.kv.put(ATTEMPTS, attempts)
    return this.ctx.storage.setAlarm(atMs + FORGET_MS)
  }
}
