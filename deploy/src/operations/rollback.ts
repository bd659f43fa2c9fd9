import { onward, type Call } from '@dot-do/worker-kernel/call'
import { ServiceError, sha256Hex } from '@dot-do/worker-utils'
import { attempting, finish, type Attempt } from '../attempt.ts'
import type { Env } from '../env.ts'
import type { Input, Operations } from '../operations.ts'
import { placeOf, urlOf, type Place } from '../places.ts'
import { notKept, slotKey, slotOf } from '../pointers.ts'
import { refreshSecrets } from '../secrets.ts'
import { tenantFor } from '../tenants.ts'

export const rollback: Operations['rollback'] = (input, call) => {
  const place = placeOf(input, call.principal)
  return attempting(place, { action: 'rollback' }, { call, run: (attempt) => flip(input, { attempt, place }, call) })
}

async function flip({ tenant, to }: Input<'rollback'>, { attempt, place }: { attempt: Attempt; place: Place }, call: Call<Env>) {
  tenantFor(tenant, call)
  const slot = await slotOf(place, call)
  if (!slot) throw new ServiceError('NOT_FOUND', `${place.service} was never published in ${place.environment}`)
  const aim = to ?? slot.former[0]
  if (to !== undefined && !slot.versions.some(({ version }) => version === to)) throw notKept('to', to, place)
  if (aim !== undefined) {
    attempt.row.version = aim
    await refreshSecrets(place, [aim], call)
  }
  const asked = { ...slotKey(place), ...(to !== undefined && { to }), attempt: await attemptKey(attempt, call) }
  const flipped = await call.env.DISPATCHER_SERVICE.rollback(asked, onward(call))
  attempt.stage = 'activated'
  const version = flipped.to
  // Where this attempt was made before and its answer was lost, the version that was flipped to then is the one that counts.
  if (version !== aim) await refreshSecrets(place, [version], call)
  const urls = { url: urlOf(place, call.env.HOST_SUFFIX), previewUrl: urlOf(place, call.env.HOST_SUFFIX, version) }
  return finish(attempt, { status: 'live', version, formerVersion: flipped.from }, { call, answerOf: (deployment) => ({ deployment, version, ...urls }) })
}

/** What a repeated rollback has in common with the first: its Idempotency-Key, of whoever asked. Without one every rollback is a new one. */
async function attemptKey({ row }: Attempt, { idempotencyKey, principal }: Call<Env>): Promise<string> {
  return idempotencyKey === undefined ? row.id : sha256Hex(`${principal.id}\n${idempotencyKey}`)
}
