import type { Environment } from '@dot-do/worker-contracts/published'
import { emptySlot, type SlotState } from './slot.ts'

/** What is live of a worker, as dispatchers read it. */
export interface PointerState {
  slots: SlotState[]
  /** The number that was given last, and when, in milliseconds since 1970: a sign that something is being published. */
  reserved: { version: number; atMs: number } | null
}

/** The slot of an environment; an empty one where nothing was published. */
export function slotOf({ slots }: PointerState, environment: Environment): SlotState {
  return slots.find((slot) => slot.environment === environment) ?? emptySlot(environment)
}
