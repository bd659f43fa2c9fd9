import { DurableObject } from 'cloudflare:workers'
import type { Env } from './env.ts'
import { RateWindow, WINDOW_SECONDS, type WindowDecision, type WindowState } from './rate-window.ts'

/** At most this many windows are held in one object. */
const MAX_WINDOWS = 10_000

/** Counts are written this long after the first one that is not yet written; a crash forgets at most as much. */
const FLUSH_MS = 500

/** The window of all who came when the object was full: they share one limit, so that a flood of addresses costs neither memory nor the guarantee. */
const OVERFLOW = '*'

/**
 * Counts calls: one object per principal, or per share of the strangers' addresses, so that each counter has one owner.
 * Counts live in memory and are written behind; the pending timer keeps the object from being evicted with unwritten counts.
 */
export class RateCounter extends DurableObject<Env> {
  readonly #windows = new Map<string, RateWindow>()
  readonly #unwritten = new Set<string>()
  #sweepAgainAt = 0

  /** Counts one call on one window. */
  take(key: string, limit: number, cost: number): WindowDecision {
    const now = Date.now()
    const name = this.#nameFor(key, now)
    const decision = this.#window(name).take(now, limit, cost)
    if (decision.allowed) this.#writeLater(name)
    return decision
  }

  /** Forgets windows in which nothing counts any more. */
  override async alarm(): Promise<void> {
    const now = Date.now()
    for (const [name] of this.ctx.storage.kv.list()) this.#window(name)
    this.#sweep(now)
    if (this.#windows.size > 0) await this.#alarmLater(now)
  }

  #nameFor(key: string, now: number): string {
    if (this.#windows.has(key) || this.#windows.size < MAX_WINDOWS) return key
    if (now >= this.#sweepAgainAt) this.#sweep(now)
    return this.#windows.size < MAX_WINDOWS ? key : OVERFLOW
  }

  /** Looks at every window, so not more often than once a second. */
  #sweep(now: number): void {
    this.#sweepAgainAt = now + 1000
    for (const [name, window] of this.#windows) if (window.isEmptyAt(now)) this.#forget(name)
  }

  #window(name: string): RateWindow {
    const known = this.#windows.get(name)
    if (known) return known
    const window = new RateWindow(this.ctx.storage.kv.get<WindowState>(name))
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
