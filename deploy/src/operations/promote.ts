import type { Call } from '@dot-do/worker-kernel/call'
import { ServiceError } from '@dot-do/worker-utils'
import { attempting, finish, storePending, type Attempt } from '../attempt.ts'
import { loadBundle } from '../bundle.ts'
import type { Env } from '../env.ts'
import type { Input, Operations } from '../operations.ts'
import { placeOf, namespaceOf, urlOf, type Place } from '../places.ts'
import { notKept, slotOf } from '../pointers.ts'
import { prune } from '../pruning.ts'
import { refusal } from '../refusal.ts'
import { release } from '../release.ts'
import { tenantFor } from '../tenants.ts'
import { findVersion } from '../versions.ts'

export const promote: Operations['promote'] = (input, call) => {
  const place = placeOf(input, call.principal)
  return attempting(place, { action: 'promote' }, { call, run: (attempt) => move(input, { attempt, place }, call) })
}

async function move(input: Input<'promote'>, { attempt, place }: { attempt: Attempt; place: Place }, call: Call<Env>) {
  tenantFor(input.tenant, call)
  if (input.from === input.environment) throw refusal('from', `and environment are the same: ${input.from}`)
  const version = await versionToMove(input, place, call)
  const row = await findVersion(place, version, call)
  attempt.row = { ...attempt.row, version, metadata: row.metadata }
  const content = await loadBundle(call.env.DEPLOY_BUCKET, place, row)
  await storePending(attempt, call)
  const { slot, former } = await release(
    { attempt, place, namespace: namespaceOf({ environment: place.environment }), content, version, smokePath: '/', activate: true },
    call,
  )
  const urls = { url: urlOf(place, call.env.HOST_SUFFIX), previewUrl: urlOf(place, call.env.HOST_SUFFIX, version) }
  const answer = await finish(
    attempt,
    { status: 'live', version, formerVersion: former },
    { call, answerOf: (deployment) => ({ deployment, version, ...urls }) },
  )
  call.waitUntil(prune(place, slot, call))
  return answer
}

async function versionToMove({ from, version }: Input<'promote'>, place: Place, call: Call<Env>): Promise<number> {
  const source = { ...place, environment: from }
  const slot = await slotOf(source, call)
  if (version !== undefined) {
    if (!slot?.versions.some((kept) => kept.version === version)) throw notKept('version', version, source)
    return version
  }
  const live = slot?.live ?? undefined
  if (live === undefined) throw new ServiceError('NOT_FOUND', `Nothing of ${place.service} is live in ${from}`)
  return live
}
