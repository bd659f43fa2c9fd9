import { DurableObject } from 'cloudflare:workers'
import { callOf } from '@dot-do/worker-kernel/call'
import { log, toServiceError } from '@dot-do/worker-utils'
import type { Env } from './env.ts'
import { OWN } from './own.ts'
import { wakeDue, wakeForgotten } from './waking.ts'

/** Where the database cannot be asked, it is asked again after so long. */
const AGAIN_MS = 5_000

/** An alarm can be set no further ahead than a number can say; and it does no harm to look once a day. */
const LONGEST_MS = 86_400_000

/** The queue's clock: one object, whose alarm is the next time at which a job is due, or a runner was heard of for too long ago. */
export class Waker extends DurableObject<Env> {
  /** Looks at the queue at this time, or before. */
  async wakeBy(time: string): Promise<void> {
    const { storage } = this.ctx
    const at = Math.min(Date.parse(time), Date.now() + LONGEST_MS)
    const set = await storage.getAlarm()
    if (set === null || set > at) await storage.setAlarm(at)
  }

  /** Looks at the queue now, also for what nobody woke; whatever became of the alarm, it is right afterwards. */
  async sweep(): Promise<void> {
    const call = this.#call()
    await this.#wake()
    await wakeForgotten(call)
  }

  override async alarm(): Promise<void> {
    try {
      await this.#wake()
    } catch (thrown) {
      const { code, message, cause } = toServiceError(thrown)
      log('warn', 'waker_failed', { code, message, cause })
      await this.ctx.storage.setAlarm(Date.now() + AGAIN_MS)
    }
  }

  async #wake(): Promise<void> {
    const next = await wakeDue(this.#call())
    if (next !== null) await this.wakeBy(next)
  }

  #call() {
    return callOf({ env: this.env, props: OWN, waitUntil: (promise) => this.ctx.waitUntil(promise) }, 'queue')
  }
}
