import * as z from 'zod'
import { noTriggers, type WorkerDeployment, type WorkerTriggers } from '../store/account.ts'
import type { Script } from '../store/script.ts'
import { accountOf, receiveWorker } from './account-upload.ts'
import { readJson } from './body.ts'
import type { Call, Route } from './context.ts'
import { succeed } from './envelope.ts'
import { shownScript } from './scripts.ts'
import { namespaceOf, scriptNameOf, scriptOf } from './targets.ts'

const ONE = '/accounts/:account/workers/scripts/:script'

/** How many deployments a Worker is remembered to have had. */
const MOST_DEPLOYMENTS = 10

const Subdomain = z.object({ enabled: z.boolean().optional(), previews_enabled: z.boolean().optional() })
const Origins = z.array(z.looseObject({ hostname: z.string().min(1).max(255) })).max(100)
const Schedules = z.array(z.object({ cron: z.string().min(1).max(255) })).max(100)

/** What `wrangler deploy` asks of an account's own Workers: the upload with all it is bound to, then where it answers and what wakes it. */
export const accountWorkerRoutes: Route[] = [
  ['PUT', '/accounts/:account/workers/dispatch/namespaces/:namespace/scripts/:script', put],
  ['PUT', ONE, put],
  ['DELETE', ONE, remove],
  ['GET', '/accounts/:account/workers/services/:script', service],
  ['GET', '/accounts/:account/workers/workers/:script', worker],
  ['GET', `${ONE}/deployments`, deployments],
  ['GET', `${ONE}/subdomain`, async (call) => succeed((await triggersOf(call)).subdomain)],
  ['POST', `${ONE}/subdomain`, setSubdomain],
  ['POST', `${ONE}/domains/changeset`, domainChanges],
  ['PUT', `${ONE}/domains/records`, setDomains],
  ['GET', `${ONE}/schedules`, async (call) => succeed({ schedules: (await triggersOf(call)).crons.map((cron) => ({ cron })) })],
  ['PUT', `${ONE}/schedules`, setSchedules],
]

async function put(call: Call): Promise<Response> {
  const namespace = namespaceOf(call)
  const name = scriptNameOf(call)
  const started = performance.now()
  const script = await call.context.store.updateScript(namespace, name, await receiveWorker(call))
  if (call.params['namespace'] === undefined) await updateTriggers(call, (triggers) => rememberDeployment(triggers, script))
  return succeed({ ...shownScript(script), startup_time_ms: Math.ceil(performance.now() - started) })
}

/** Puts a script's version at the head of the deployments there were, and answers the deployment. */
export function rememberDeployment(triggers: WorkerTriggers, { version: { id, createdOn, message } }: Script): WorkerDeployment {
  const deployment = { id: crypto.randomUUID(), versionId: id, createdOn, ...(message === undefined ? {} : { message }) }
  triggers.deployments = [deployment, ...triggers.deployments].slice(0, MOST_DEPLOYMENTS)
  return deployment
}

async function remove(call: Call): Promise<Response> {
  const { name, namespace } = await scriptOf(call)
  const account = accountOf(call)
  await call.context.store.deleteScript(namespace, name)
  await account.update((draft) => {
    delete draft.workers[name]
    for (const queue of draft.queues) queue.consumers = queue.consumers.filter(({ script }) => script !== name)
  })
  return succeed(null)
}

/** That it came from wrangler keeps wrangler from warning that it did not. */
async function service(call: Call): Promise<Response> {
  const script = await scriptOf(call)
  const shown = { ...shownScript(script), last_deployed_from: 'wrangler' }
  const environment = { environment: 'production', script: shown, created_on: script.createdOn, modified_on: script.modifiedOn }
  return succeed({ id: script.name, default_environment: environment, created_on: script.createdOn, modified_on: script.modifiedOn })
}

async function worker(call: Call): Promise<Response> {
  const { id, name, createdOn, modifiedOn, tags, observability } = await scriptOf(call)
  const { subdomain } = await triggersOf(call)
  return succeed({ id, name, created_on: createdOn, updated_on: modifiedOn, tags, subdomain, observability: observability ?? { enabled: false } })
}

async function deployments(call: Call): Promise<Response> {
  const { deployments: all } = await triggersOf(call)
  return succeed({
    deployments: all.map(shownDeployment),
  })
}

/** A deployment as the API answers it: one version has all requests. */
export function shownDeployment({ id, versionId, createdOn, message }: WorkerDeployment): object {
  const annotations = message === undefined ? {} : { 'workers/message': message }
  const versions = [{ version_id: versionId, percentage: 100 }]
  return { id, source: 'wrangler', strategy: 'percentage', created_on: createdOn, annotations, versions }
}

async function setSubdomain(call: Call): Promise<Response> {
  const sent = await readJson(call.request, Subdomain)
  return succeed(
    await updateTriggers(call, (triggers) => {
      const enabled = sent.enabled ?? triggers.subdomain.enabled
      triggers.subdomain = { enabled, previews_enabled: sent.previews_enabled ?? enabled }
      return triggers.subdomain
    }),
  )
}

async function domainChanges(call: Call): Promise<Response> {
  const wanted = (await readJson(call.request, Origins)).map(({ hostname }) => hostname)
  const { domains } = await triggersOf(call)
  const named = (hostnames: string[]): object[] => hostnames.map((hostname) => ({ id: hostname, hostname, modified: false }))
  const added = wanted.filter((hostname) => !domains.includes(hostname))
  const removed = call.url.searchParams.get('replace_state') === 'true' ? domains.filter((hostname) => !wanted.includes(hostname)) : []
  return succeed({ added: named(added), removed: named(removed), updated: named(wanted.filter((hostname) => domains.includes(hostname))), conflicting: [] })
}

/** A domain leads to one Worker: who asks for it last has it. */
async function setDomains(call: Call): Promise<Response> {
  const { origins } = await readJson(call.request, z.looseObject({ origins: Origins }))
  const wanted = [...new Set(origins.map(({ hostname }) => hostname))]
  const { name } = await scriptOf(call)
  await accountOf(call).update(({ workers }) => {
    for (const triggers of Object.values(workers)) triggers.domains = triggers.domains.filter((hostname) => !wanted.includes(hostname))
    workers[name] = { ...(workers[name] ?? noTriggers()), domains: wanted }
  })
  return succeed(wanted.map((hostname) => ({ id: hostname, hostname, service: name, environment: 'production' })))
}

async function setSchedules(call: Call): Promise<Response> {
  const sent = await readJson(call.request, Schedules)
  await updateTriggers(call, (triggers) => {
    triggers.crons = sent.map(({ cron }) => cron)
  })
  return succeed({ schedules: sent })
}

async function triggersOf(call: Call): Promise<WorkerTriggers> {
  const { name } = await scriptOf(call)
  return accountOf(call).state.workers[name] ?? noTriggers()
}

/** Changes what the Worker a call is about has besides its script. */
export async function updateTriggers<Result>(call: Call, change: (triggers: WorkerTriggers) => Result): Promise<Result> {
  const { name } = await scriptOf(call)
  return accountOf(call).update(({ workers }) => change((workers[name] ??= noTriggers())))
}
