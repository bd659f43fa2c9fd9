import { DurableObject } from 'cloudflare:workers'
import type { Env } from './env.ts'
import { shareOf, type Lent, type Loan, type LoanWish } from './leases.ts'
import { RateWindow, WINDOW_SECONDS, type WindowDecision, type WindowState } from './rate-window.ts'

/** At most this many windows are held in one object, and one more for each class of limits. */
const MAX_WINDOWS = 4_000

/** Counts are written this long after the first one that is not yet written; a crash forgets at most as much. */
const FLUSH_MS = 500

/** Whose window it is that all share who came when the object was full: a flood of addresses costs neither memory nor the guarantee. */
const OVERFLOW = '*'

/** The name of a window: limits of different classes are never counted on one. */
export interface WindowName {
  limitClass: string
  /** An address, or empty for the principal whose object it is. */
  whose: string
}

/**
 * Counts calls: one object per principal, or per share of the strangers' addresses, so that each counter has one owner.
 * Counts live in memory and are written behind; the pending timer keeps the object from being evicted with unwritten counts.
 */
export class RateCounter extends DurableObject<Env> {
  readonly #windows = new Map<string, RateWindow>()
  readonly #unwritten = new Set<string>()
  readonly #life = crypto.randomUUID()
  #sweepAgainAt = 0

  /** Counts one call on one window. */
  take(asked: WindowName, limit: number, cost: number): WindowDecision {
    const now = Date.now()
    const name = this.#nameFor(asked, now)
    const decision = this.#window(name).take(now, limit, cost)
    if (decision.allowed) this.#writeLater(name)
    return decision
  }

  /** Counts one call, takes back what the asker did not use of an earlier loan, and lends it what it may use by itself during the next second. */
  lend(asked: WindowName, limit: number, { cost, want, returned }: LoanWish & { cost: number }): Lent {
    if (returned) this.giveBack(returned)
    const now = Date.now()
    const name = this.#nameFor(asked, now)
    const window = this.#window(name, { isLeased: true })
    const { allowed, remaining, resetSeconds } = window.take(now, limit, cost)
    const units = allowed ? Math.max(0, Math.min(want, remaining, shareOf(limit))) : 0
    if (units > 0) window.take(now, limit, units)
    if (allowed) this.#writeLater(name)
    return { allowed, remaining: remaining - units, resetSeconds, loan: { units, window: name, second: window.second, life: this.#life } }
  }

  /** Takes back what was lent and not used. */
  giveBack({ window, life, ...unused }: Loan): void {
    if (life !== this.#life || !this.#windows.has(window)) return
    this.#window(window).giveBack(Date.now(), unused)
    this.#writeLater(window)
  }

  /** Forgets windows in which nothing counts any more. */
  override async alarm(): Promise<void> {
    const now = Date.now()
    for (const [name] of this.ctx.storage.kv.list()) this.#window(name)
    this.#sweep(now)
    if (this.#windows.size > 0) await this.#alarmLater(now)
  }

  #nameFor({ limitClass, whose }: WindowName, now: number): string {
    const name = `${limitClass} ${whose}`
    if (this.#windows.has(name) || this.#windows.size < MAX_WINDOWS) return name
    if (now >= this.#sweepAgainAt) this.#sweep(now)
    return this.#windows.size < MAX_WINDOWS ? name : `${limitClass} ${OVERFLOW}`
  }

  /** Looks at every window, so not more often than once a second. */
  #sweep(now: number): void {
    this.#sweepAgainAt = now + 1000
    for (const [name, window] of this.#windows) if (window.isEmptyAt(now)) this.#forget(name)
  }

  #window(name: string, about?: { isLeased: boolean }): RateWindow {
    const known = this.#windows.get(name)
    if (known) return known
    const window = new RateWindow(this.ctx.storage.kv.get<WindowState>(name), about)
    this.#windows.set(name, window)
    return window
  }

  #forget(name: string): void {
    this.#windows.delete(name)
    this.#unwritten.delete(name)
    this.ctx.storage.kv.delete(name)
  }

  #writeLater(name: string): void {
    if (this.#unwritten.size === 0) setTimeout(() => void this.#write(), FLUSH_MS)
    this.#unwritten.add(name)
  }

  async #write(): Promise<void> {
    const states = [...this.#unwritten].map((name) => [name, this.#window(name).state] as const)
    this.#unwritten.clear()
    // Unconfirmed, or every answer of this object would wait for the disk.
    await Promise.all(states.map(([name, state]) => this.ctx.storage.put(name, state, { allowUnconfirmed: true })))
    await this.#alarmLater(Date.now())
  }

  async #alarmLater(now: number): Promise<void> {
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(now + 2 * WINDOW_SECONDS * 1000, { allowUnconfirmed: true })
  }
}
