import { vi } from 'vitest'

/** Waits until an assertion holds: for as long as a crowded machine may need, and no longer than it takes on a quiet one. */
export function eventually<Value>(assertion: () => Value | Promise<Value>): Promise<Value> {
  return vi.waitFor(assertion, { timeout: 20_000, interval: 50 })
}
