import type { Slot } from '@dot-do/worker-contracts/published'
import { onward, type Call } from '@dot-do/worker-kernel/call'
import { ServiceError, toServiceError } from '@dot-do/worker-utils'
import type * as z from 'zod'
import type { Env } from './env.ts'
import type { Place } from './places.ts'

/** What is live in one environment of a worker. */
export type PublishedSlot = z.output<typeof Slot>

/** Every environment of a worker in which there is anything; none for a worker nobody published. */
export async function slotsOf({ tenant, service }: Pick<Place, 'tenant' | 'service'>, call: Call<Env>): Promise<PublishedSlot[]> {
  try {
    const { slots } = await call.env.DISPATCHER_SERVICE.getPointer({ tenant, worker: service }, onward(call))
    return slots.filter(({ versions }) => versions.length > 0)
  } catch (thrown) {
    if (toServiceError(thrown).code === 'NOT_FOUND') return []
    throw thrown
  }
}

/** One environment of a worker; undefined if nothing was ever published there. */
export async function slotOf(place: Place, call: Call<Env>): Promise<PublishedSlot | undefined> {
  return (await slotsOf(place, call)).find(({ environment }) => environment === place.environment)
}

/** What is said of a version that an environment does not keep. `path` is the field of the input that names it. */
export function notKept(path: string, version: number, { service, environment }: Place): ServiceError {
  const details = [{ path, message: 'is not kept' }]
  return new ServiceError('NOT_FOUND', `${environment} keeps no version ${version} of ${service}`, { details })
}

/** A place as the dispatcher names it. */
export function slotKey({ tenant, service, environment }: Place) {
  return { tenant, worker: service, environment }
}

/** Versions that requests may reach without naming them. */
export function servingVersions({ live, canary }: Pick<PublishedSlot, 'live' | 'canary'>): number[] {
  return [...(live === null ? [] : [live]), ...(canary ? [canary.version] : [])]
}
