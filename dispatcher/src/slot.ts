import type { Environment, KeptVersion, Slot } from '@dot-do/worker-contracts/published'
import { ServiceError } from '@dot-do/worker-utils'
import type * as z from 'zod'
import type { CanaryState } from './canary.ts'

/** A version that an environment keeps. */
export type Kept = z.output<typeof KeptVersion>

/** What is live in one environment, as its object keeps it. Every number in it but `abortedCanary`'s is one of `versions`. */
export interface SlotState extends z.output<typeof Slot> {
  canary: CanaryState | null
  /** Whether anything was ever live here: a worker that was taken down is not one that is on its way. */
  wasLive: boolean
}

/** The most versions that are remembered as having been live before. */
const MAX_FORMER = 50

/** An environment in which nothing was published yet. */
export function emptySlot(environment: Environment): SlotState {
  return { environment, live: null, former: [], canary: null, abortedCanary: null, versions: [], wasLive: false }
}

/** Keeps a version, as the newest. One that is kept already is replaced. */
export function keep(slot: SlotState, kept: Kept): SlotState {
  return { ...slot, versions: [kept, ...slot.versions.filter(({ version }) => version !== kept.version)] }
}

/** Forgets versions, except what is live or a canary. */
export function drop(slot: SlotState, versions: readonly number[]): SlotState {
  const gone = new Set(versions.filter((version) => version !== slot.live && version !== slot.canary?.version))
  const former = slot.former.filter((version) => !gone.has(version))
  return { ...slot, versions: slot.versions.filter(({ version }) => !gone.has(version)), former: historyOf(slot.live, former) }
}

/** Makes a kept version live; what was live becomes former, and a canary ends. NOT_FOUND if it is not kept. */
export function activate(slot: SlotState, version: number): SlotState {
  const past = slot.live === null ? slot.former : [slot.live, ...slot.former]
  return { ...slot, live: kept(slot, version).version, former: historyOf(version, past), canary: null, wasLive: true }
}

/** Makes live what was so before, or a given version, and forgets that what was live meanwhile was so: the next rollback goes one further back. */
export function rollback(slot: SlotState, to?: number): SlotState & { live: number } {
  const target = to ?? slot.former[0]
  if (target === undefined) throw new ServiceError('CONFLICT', `Nothing was live in ${slot.environment} before, so there is nothing to go back to`)
  const { version: live } = kept(slot, target, 'to')
  if (live === slot.live) return { ...slot, live, canary: null }
  const place = slot.former.indexOf(live)
  if (place === -1) return { ...activate(slot, live), live }
  return { ...slot, live, former: historyOf(live, slot.former.slice(place + 1)), canary: null, wasLive: true }
}

/** Lets nothing be live. */
export function takeDown(slot: SlotState): SlotState {
  return slot.live === null ? slot : { ...slot, live: null, former: [slot.live, ...slot.former].slice(0, MAX_FORMER), canary: null }
}

/** The kept version with this number. NOT_FOUND, naming the field that asked for it, if there is none. */
export function kept({ versions, environment }: SlotState, wanted: number, field = 'version'): Kept {
  const found = versions.find(({ version }) => version === wanted)
  if (found) return found
  throw new ServiceError('NOT_FOUND', `${environment} keeps no version ${wanted}`, { details: [{ path: field, message: 'is not kept there' }] })
}

/** What was live before, newest first: what is live now does not lead it, and nothing stands twice in a row. */
function historyOf(live: number | null, past: readonly number[]): number[] {
  const list = live === null ? past : [live, ...past]
  const distinct = list.filter((version, index) => version !== list[index - 1])
  return distinct.slice(live === null ? 0 : 1).slice(0, MAX_FORMER)
}
