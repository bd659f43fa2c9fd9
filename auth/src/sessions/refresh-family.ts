import { DurableObject } from 'cloudflare:workers'
import type { Env } from '../env.ts'
import { newFamily, nextPruneAtMs, prune, rotate, type Family, type Rotation, type Turn } from './family.ts'

const FAMILY = 'family'

/** The one owner of a session's refresh tokens. Each change is one step without awaiting anything else, and is on disk before the answer leaves. */
export class RefreshFamily extends DurableObject<Env> {
  /** Begins with a session's first token. A family begins once. */
  async begin(current: string, expiresAtMs: number): Promise<void> {
    if (this.#family()) throw new TypeError('This session has its refresh tokens already')
    await this.#keep(newFamily(current, expiresAtMs))
  }

  /** Spends a token for the next one. */
  async rotate(wish: Rotation): Promise<Turn> {
    const known = this.#family()
    const { family, turn } = rotate(known, wish)
    if (family && family !== known) await this.#keep(family)
    return turn
  }

  /** Forgets answers that have had their time, and in the end everything. */
  override async alarm(): Promise<void> {
    const known = this.#family()
    const left = known && prune(known, Date.now())
    if (left) await this.#keep(left)
    else await this.ctx.storage.deleteAll()
  }

  #family(): Family | undefined {
    return this.ctx.storage.kv.get<Family>(FAMILY)
  }

  #keep(family: Family): Promise<void> {
    this.ctx.storage.kv.put(FAMILY, family)
    return this.ctx.storage.setAlarm(nextPruneAtMs(family))
  }
}
