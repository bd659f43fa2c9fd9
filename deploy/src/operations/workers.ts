import { onward } from '@dot-do/worker-kernel/call'
import { ServiceError } from '@dot-do/worker-utils'
import { attempting, finish } from '../attempt.ts'
import type { Operations } from '../operations.ts'
import { placeOf, urlOf } from '../places.ts'
import { slotKey, slotOf, slotsOf } from '../pointers.ts'
import { tenantFor, tenantOf } from '../tenants.ts'

export const getWorker: Operations['getWorker'] = async (input, call) => {
  const { service } = input
  const tenant = tenantOf(input.tenant, call)
  const slots = await slotsOf({ tenant, service }, call)
  if (slots.length === 0) throw new ServiceError('NOT_FOUND', `No worker ${service} is published; POST /deploy publishes one`)
  const urls = slots.map((slot) => ({ ...slot, url: urlOf({ tenant, service, environment: slot.environment }, call.env.HOST_SUFFIX) }))
  return { service, tenant, slots: urls }
}

export const unpublish: Operations['unpublish'] = (input, call) => {
  const place = placeOf(input, call.principal)
  const run = async (attempt: Parameters<typeof finish>[0]) => {
    tenantFor(input.tenant, call)
    const before = await slotOf(place, call)
    if (!before) throw new ServiceError('NOT_FOUND', `${place.service} was never published in ${place.environment}`)
    await call.env.DISPATCHER_SERVICE.takeDown(slotKey(place), onward(call))
    attempt.stage = 'activated'
    return finish(attempt, { status: 'down', version: null, formerVersion: before.live }, { call, answerOf: (deployment) => deployment })
  }
  return attempting(place, { action: 'unpublish' }, { call, run })
}
