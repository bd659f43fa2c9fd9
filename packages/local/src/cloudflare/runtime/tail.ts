import type { TailEvent } from './protocol.ts'

/** Hears of an invocation when all of it is over. It must not throw. */
export type TailListener = (event: TailEvent) => void

/** Who listens to which script. */
export class Tails {
  #listeners = new Map<string, Set<TailListener>>()
  #onChange: (keys: string[]) => void

  /** `onChange` learns the keys of all scripts that are listened to. */
  constructor(onChange: (keys: string[]) => void) {
    this.#onChange = onChange
  }

  get keys(): string[] {
    return [...this.#listeners.keys()]
  }

  subscribe(key: string, listener: TailListener): () => void {
    const listeners = this.#listeners.get(key) ?? new Set()
    // Each subscription is its own, though the listener be the same.
    const own: TailListener = (event) => listener(event)
    listeners.add(own)
    this.#listeners.set(key, listeners)
    this.#onChange(this.keys)
    return () => {
      listeners.delete(own)
      if (listeners.size > 0 || this.#listeners.get(key) !== listeners) return
      this.#listeners.delete(key)
      this.#onChange(this.keys)
    }
  }

  publish(key: string, event: TailEvent): void {
    for (const listener of this.#listeners.get(key) ?? []) listener(event)
  }
}
