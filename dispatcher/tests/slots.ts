import type { Environment } from '@dot-do/worker-contracts/published'
import { activate, emptySlot, keep, type Kept, type SlotState } from '../src/slot.ts'

/** A version that is kept; since some second of 2026. */
export function keptVersion(version: number, about: Partial<Kept> = {}): Kept {
  const keptSince = new Date(Date.UTC(2026, 0, 1, 0, 0, version)).toISOString()
  return { version, namespace: 'dotdo-production', script: `hello--v${version}`, access: 'public', branch: null, keptSince, ...about }
}

/** A slot that keeps these versions, made live one after another. */
export function slotWith(versions: number[], environment: Environment = 'production'): SlotState {
  return versions.reduce((slot, version) => activate(keep(slot, keptVersion(version)), version), emptySlot(environment))
}
