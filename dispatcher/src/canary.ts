import type { abortRule, Canary, canaryStep } from '@dot-do/worker-contracts/published'
import { ServiceError } from '@dot-do/worker-utils'
import type * as z from 'zod'
import { activate, kept, type SlotState } from './slot.ts'

/** A canary as its object keeps it. */
export interface CanaryState extends z.output<typeof Canary> {
  /** The share it began with, before any step. */
  firstPercent: number
}

/** What is asked of a canary. */
export interface CanaryWish {
  version: number
  percent: number
  header?: string | undefined
  steps: z.output<typeof canaryStep>[]
  abortOn?: z.output<typeof abortRule> | undefined
}

/** What a dispatcher saw of a canary since it last told. */
export interface CanaryReport {
  version: number
  /** Which canary of this version is meant: late counts of an earlier one are of no account. */
  startedAt: string
  requests: number
  errors: number
}

/** Begins a canary, or ends it: 0 percent without header and steps. 100 percent makes the version live. The same wish again leaves the canary and its counts as they are. */
export function setCanary(slot: SlotState, wish: CanaryWish, now: Date): SlotState {
  const { version, percent, header = null, abortOn = null } = wish
  if (percent === 0 && header === null && wish.steps.length === 0) return { ...slot, canary: null }
  kept(slot, version)
  if (percent === 100) return activate(slot, version)
  if (slot.live === null) throw unfit(`Nothing is live in ${slot.environment}, so a canary would be all there is; activate version ${version} instead`)
  if (slot.live === version) throw unfit(`Version ${version} is live in ${slot.environment} already`)
  const steps = wish.steps.toSorted((a, b) => a.afterSeconds - b.afterSeconds)
  const wanted = { version, firstPercent: percent, header, steps, abortOn }
  if (slot.canary && JSON.stringify(wishOf(slot.canary)) === JSON.stringify(wanted)) return slot
  return { ...slot, canary: { ...wanted, percent, startedAt: now.toISOString(), requests: 0, errors: 0 }, abortedCanary: null }
}

/** Takes the steps that are due. The one to 100 percent makes the version live. */
export function stepCanary(slot: SlotState, now: Date): SlotState {
  const { canary } = slot
  const due = canary?.steps.filter((step) => stepAt(canary, step) <= now.getTime()).at(-1)
  if (!canary || !due) return slot
  return due.percent === 100 ? activate(slot, canary.version) : { ...slot, canary: { ...canary, percent: due.percent } }
}

/** When the next step is due, in milliseconds since 1970. */
export function nextStepAt({ canary }: SlotState, now: Date): number | undefined {
  return canary?.steps.map((step) => stepAt(canary, step)).find((at) => at > now.getTime())
}

/** Adds what was seen of a canary, and ends it if that is more errors than it may make. */
export function countCanary(slot: SlotState, report: CanaryReport, now: Date): SlotState {
  const { canary } = slot
  if (!canary || canary.version !== report.version || canary.startedAt !== report.startedAt) return slot
  const requests = canary.requests + report.requests
  const errors = canary.errors + report.errors
  const counted = { ...canary, requests, errors }
  const { abortOn, version } = canary
  if (!abortOn || requests < abortOn.minRequests || errors / requests <= abortOn.errorRate) return { ...slot, canary: counted }
  const reason = `${errors} of ${requests} requests failed, more than ${abortOn.errorRate * 100} %`
  return { ...slot, canary: null, abortedCanary: { version, at: now.toISOString(), reason } }
}

function wishOf({ version, firstPercent, header, steps, abortOn }: CanaryState) {
  return { version, firstPercent, header, steps, abortOn }
}

function stepAt({ startedAt }: CanaryState, { afterSeconds }: { afterSeconds: number }): number {
  return Date.parse(startedAt) + afterSeconds * 1000
}

function unfit(message: string): ServiceError {
  return new ServiceError('CONFLICT', message, { details: [{ path: 'version', message: 'cannot be a canary now' }] })
}
