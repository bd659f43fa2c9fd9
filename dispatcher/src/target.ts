import type { Environment } from '@dot-do/worker-contracts/published'
import { ServiceError } from '@dot-do/worker-utils'
import type { WorkerAddress } from './address.ts'
import { chooseVersion, type Choice, type Visitor } from './canary-choice.ts'
import { slotOf, type PointerState } from './pointer-state.ts'
import type { Kept, SlotState } from './slot.ts'

/** What of a worker is to answer. */
export interface Target {
  kept: Kept
  environment: Environment
  /** Present where a canary runs and the visitor was given a place on one of its sides. */
  choice?: Choice
}

/** How long something that began to be published counts as on its way, in milliseconds. A deployment takes seconds; one that failed must not answer "soon" for good. */
const PUBLISHING_MS = 120_000

/** The number of what was put into a namespace under the worker's own name without deploy, by `wrangler deploy --dispatch-namespace` for one. No version has it. */
export const UNMANAGED = 0

/** Finds the version that an address means. NOT_FOUND where there is none, UNAVAILABLE while the first one is on its way. */
export function targetOf(address: WorkerAddress, pointer: PointerState, visitor: Visitor): Target {
  const { version, branch, environment } = address
  if (branch !== undefined) return newestOf(branch, pointer, address)
  const slot = slotOf(pointer, environment)
  if (version !== undefined) {
    const kept = slot.versions.find((each) => each.version === version)
    if (!kept) throw notFound(`No version ${version} of ${nameOf(address)} is published in ${environment}`)
    return { kept, environment }
  }
  if (slot.live === null) return unmanaged(address, pointer) ?? refuse(nothingLive(slot, pointer, { address, nowMs: visitor.nowMs }))
  const choice = slot.canary ? chooseVersion(slot.canary, address.worker, visitor) : undefined
  const chosen = choice?.isCanary ? choice.version : slot.live
  const kept = slot.versions.find((each) => each.version === chosen)
  if (!kept) throw new TypeError(`${environment} of ${nameOf(address)} does not keep version ${chosen}, which it names`)
  return { kept, environment, ...(choice && { choice }) }
}

function newestOf(branch: string, { slots }: PointerState, address: WorkerAddress): Target {
  const found = slots.flatMap(({ environment, versions }) => versions.filter((kept) => kept.branch === branch).map((kept) => ({ kept, environment })))
  const [newest] = found.toSorted((a, b) => Date.parse(b.kept.keptSince) - Date.parse(a.kept.keptSince))
  if (!newest) throw notFound(`No version of ${nameOf(address)} is published from the branch ${branch}`)
  return newest
}

/** What deploy never heard of may still be there, as a script of the worker's own name; whether it is shows when it is called. Tenants publish by deploy alone. */
function unmanaged({ tenant, worker, environment }: WorkerAddress, { slots, reserved }: PointerState): Target | undefined {
  if (tenant !== 'default' || slots.length > 0 || reserved) return undefined
  const access = environment === 'internal' ? 'admin' : 'public'
  const kept: Kept = { version: UNMANAGED, namespace: `dotdo-${environment}`, script: worker, access, branch: null, keptSince: '' }
  return { kept, environment }
}

/** Says that nothing is there, and how something would be. */
export function nothingPublished({ worker }: WorkerAddress): ServiceError {
  return notFound(`Nothing is published here; publish with POST /deploy {"service":"${worker}", …} at deploy.do`)
}

function refuse(error: ServiceError): never {
  throw error
}

function nothingLive(slot: SlotState, pointer: PointerState, { address, nowMs }: { address: WorkerAddress; nowMs: number }): ServiceError {
  const name = nameOf(address)
  if (slot.wasLive) return notFound(`${name} was taken down`)
  if (isOnItsWay(slot, pointer, nowMs)) return new ServiceError('UNAVAILABLE', `${name} is being published; try again in a second`)
  return nothingPublished(address)
}

/** Whether this environment is about to get its first version: it keeps one already, or a number was given that no environment keeps yet. */
function isOnItsWay(slot: SlotState, { slots, reserved }: PointerState, nowMs: number): boolean {
  const since = nowMs - PUBLISHING_MS
  const [newest] = slot.versions
  if (newest) return Date.parse(newest.keptSince) > since
  if (!reserved || reserved.atMs <= since) return false
  return !slots.some(({ versions }) => versions.some(({ version, keptSince }) => version === reserved.version && Date.parse(keptSince) >= reserved.atMs))
}

/** The tenant is told only to those who wrote it. */
function nameOf({ tenant, worker }: WorkerAddress): string {
  return tenant === 'default' ? worker : `${worker} of ${tenant}`
}

function notFound(message: string): ServiceError {
  return new ServiceError('NOT_FOUND', message)
}
