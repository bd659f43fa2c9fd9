import { onward, type Call } from '@dot-do/worker-kernel/call'
import { ServiceError } from '@dot-do/worker-utils'
import { attempting, finish, type Attempt } from '../attempt.ts'
import type { Env } from '../env.ts'
import type { Input, Operations } from '../operations.ts'
import { placeOf, type Place } from '../places.ts'
import { notKept, slotKey, slotOf, type PublishedSlot } from '../pointers.ts'
import { refusal } from '../refusal.ts'
import { refreshSecrets } from '../secrets.ts'
import { tenantFor } from '../tenants.ts'

export const canary: Operations['canary'] = (input, call) => {
  const place = placeOf(input, call.principal)
  return attempting(place, { action: 'canary' }, { call, run: (attempt) => share(input, { attempt, place }, call) })
}

async function share(input: Input<'canary'>, { attempt, place }: { attempt: Attempt; place: Place }, call: Call<Env>): Promise<PublishedSlot> {
  tenantFor(input.tenant, call)
  const before = await slotOf(place, call)
  if (!before) throw new ServiceError('NOT_FOUND', `${place.service} was never published in ${place.environment}`)
  const { percent, header, steps, abortOn } = input
  const isWhole = percent === 100 && isPlain(input)
  const version = versionFor(input, before, place)
  if (version === undefined) return before
  attempt.row.version = version
  if (!isEnd(input)) await refreshSecrets(place, [version], call)
  const shares = { percent, steps, ...(header !== undefined && { header }), ...(abortOn && { abortOn }) }
  const key = { ...slotKey(place), version }
  const { DISPATCHER_SERVICE } = call.env
  const slot = await (isWhole ? DISPATCHER_SERVICE.activate(key, onward(call)) : DISPATCHER_SERVICE.setCanary({ ...key, ...shares }, onward(call)))
  attempt.stage = 'activated'
  if (!isEnd(input)) await refreshSecrets(place, [version], call)
  await finish(attempt, { status: isWhole ? 'live' : 'preview', version, formerVersion: before.live }, { call, answerOf: () => slot })
  return slot
}

/** No share to anybody: the canary ends. */
function isEnd(input: Input<'canary'>): boolean {
  return input.percent === 0 && input.header === undefined && input.steps.length === 0
}

/** A share with nothing to watch for and nothing to come; all of it is then the same as being live. */
function isPlain({ header, steps, abortOn }: Input<'canary'>): boolean {
  return header === undefined && steps.length === 0 && abortOn === undefined
}

/** The version that gets the share; undefined where a canary is to end and there is none. */
function versionFor(input: Input<'canary'>, slot: PublishedSlot, place: Place): number | undefined {
  if (isEnd(input)) return slot.canary?.version
  const { version } = input
  const kept = slot.versions.map((known) => known.version).sort((a, b) => b - a)
  if (version !== undefined && !kept.includes(version)) throw notKept('version', version, place)
  const chosen = version ?? slot.canary?.version ?? kept.find((known) => known !== slot.live)
  if (chosen === undefined) throw refusal('version', `is missing: ${place.environment} keeps none that is not live; deploy one with activate: false`)
  return chosen
}
