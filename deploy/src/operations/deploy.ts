import { environmentOf } from '@dot-do/worker-contracts/deployment'
import { batch } from '@dot-do/worker-data/database'
import { onward, type Call } from '@dot-do/worker-kernel/call'
import { attempting, finish, storePending, type Attempt } from '../attempt.ts'
import { storeBundle } from '../bundle.ts'
import { described, readContent, type Content } from '../content.ts'
import type { Env } from '../env.ts'
import type { Input, Operations } from '../operations.ts'
import { namespaceOf, urlOf, type Place } from '../places.ts'
import { prune } from '../pruning.ts'
import { release } from '../release.ts'
import { tenantFor } from '../tenants.ts'
import { rememberVersion } from '../versions.ts'

export const deploy: Operations['deploy'] = (input, call) => {
  const place = { tenant: input.tenant ?? call.principal.tenant, service: input.service, environment: environmentOf(input) }
  const { tier = null, metadata } = input
  return attempting(place, { action: 'deploy', tier, metadata }, { call, run: (attempt) => publish(input, { attempt, place }, call) })
}

async function publish(input: Input<'deploy'>, { attempt, place }: { attempt: Attempt; place: Place }, call: Call<Env>) {
  tenantFor(input.tenant, call)
  const namespace = namespaceOf(input)
  const content = await readContent(input, new Date())
  const version = await reserve(content, place, call)
  attempt.row.version = version
  await storePending(attempt, call)
  await keepContent(content, { attempt, place, version }, call)
  const { tier, smokePath, activate } = input
  const { slot, former } = await release({ attempt, place, namespace, tier, content, version, smokePath, activate }, call)
  const end = { status: activate ? ('live' as const) : ('preview' as const), version, formerVersion: former }
  const urls = { url: urlOf(place, call.env.HOST_SUFFIX), previewUrl: urlOf(place, call.env.HOST_SUFFIX, version) }
  const answer = await finish(attempt, end, { call, answerOf: (deployment) => ({ deployment, version, ...urls }) })
  call.waitUntil(prune(place, slot, call))
  return answer
}

async function reserve({ sha256 }: Content, { tenant, service }: Place, call: Call<Env>): Promise<number> {
  const { version } = await call.env.DISPATCHER_SERVICE.reserveVersion({ tenant, worker: service, sha256 }, onward(call))
  return version
}

/** Keeps what the version is made of, bucket first: a row that is there can be believed. */
async function keepContent(content: Content, { attempt, place, version }: { attempt: Attempt; place: Place; version: number }, call: Call<Env>): Promise<void> {
  const { tenant, service } = place
  const { metadata, actor, createdAt } = attempt.row
  await storeBundle(call.env.DEPLOY_BUCKET, place, content)
  await batch(call, [rememberVersion({ tenant, service, version, ...described(content), metadata, createdAt, createdBy: actor }, call)])
}
