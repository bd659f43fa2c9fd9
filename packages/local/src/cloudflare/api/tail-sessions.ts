import type { TailFilter } from './tail-filter.ts'

/** wrangler asks for a new one when its own has ended. */
const LIFETIME_MS = 6 * 3_600_000

/** How many tails there may be, open or waiting to be opened. */
const MOST = 256

/** The right to hear the logs of one script over a WebSocket. */
export interface TailSession {
  id: string
  namespace: string
  name: string
  filters: TailFilter[]
  expiresAt: number
  /** Ends the connection, once there is one. */
  close?: () => void
}

/** Tails that have been asked for. Their ids cannot be guessed, as they are all that a WebSocket shows of its right. */
export class TailSessions {
  readonly #byId = new Map<string, TailSession>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  /** Starts one. When there are too many, the oldest ends. */
  start(of: Pick<TailSession, 'namespace' | 'name' | 'filters'>): TailSession {
    const session = { ...of, id: crypto.randomUUID(), expiresAt: this.#now() + LIFETIME_MS }
    for (const { id, expiresAt } of this.#byId.values()) if (expiresAt <= this.#now() || this.#byId.size >= MOST) this.end(id)
    this.#byId.set(session.id, session)
    return session
  }

  /** Those of one script. */
  list(namespace: string, name: string): TailSession[] {
    return [...this.#byId.values()].filter((session) => session.namespace === namespace && session.name === name && session.expiresAt > this.#now())
  }

  /** The session, unless it has expired. */
  find(id: string): TailSession | undefined {
    const session = this.#byId.get(id)
    return session && session.expiresAt > this.#now() ? session : undefined
  }

  /** Ends a session and its connection. */
  end(id: string): void {
    const session = this.#byId.get(id)
    this.#byId.delete(id)
    session?.close?.()
  }

  /** Ends all. */
  endAll(): void {
    for (const id of this.#byId.keys()) this.end(id)
  }
}
