import * as z from 'zod'
import { CloudflareError } from '../errors.ts'
import type { ScriptUpdate } from '../store/store.ts'
import { receiveWorker } from './account-upload.ts'
import { rememberDeployment, shownDeployment, updateTriggers } from './account-workers.ts'
import { check, readJson } from './body.ts'
import type { Call, Route } from './context.ts'
import { succeed } from './envelope.ts'
import { scriptOf, updateTarget } from './targets.ts'
import { settingsOf, SettingsPatch } from './upload-metadata.ts'

const ONE = '/accounts/:account/workers/scripts/:script'

/** How many versions wait for their deployment; of more, the oldest is forgotten. */
const MOST_WAITING = 20

/** A version of a Worker that was uploaded and is not deployed. */
interface WaitingVersion {
  script: string
  update: ScriptUpdate
}

/** Uploaded versions by id, in memory: after a restart they have to be uploaded again. */
export class WaitingVersions {
  readonly #byId = new Map<string, WaitingVersion>()

  /** Keeps a version, and answers its id. */
  add(version: WaitingVersion): string {
    const id = crypto.randomUUID()
    const [oldest] = this.#byId.keys()
    if (this.#byId.size >= MOST_WAITING && oldest !== undefined) this.#byId.delete(oldest)
    this.#byId.set(id, version)
    return id
  }

  /** Undefined when no such version of the script waits. */
  find(id: string, script: string): ScriptUpdate | undefined {
    const version = this.#byId.get(id)
    return version?.script === script ? version.update : undefined
  }
}

const NewDeployment = z.object({
  versions: z
    .array(z.object({ version_id: z.string(), percentage: z.literal(100, 'a version has all requests here, or none') }))
    .length(1, 'one version has all requests here'),
  annotations: z.object({ 'workers/message': z.string().optional() }).optional(),
})

/** The second deployment of a Worker and all later ones: wrangler uploads a version, makes it the one that answers, and says what versions do not. */
export const accountVersionRoutes: Route[] = [
  ['POST', `${ONE}/versions`, upload],
  ['POST', `${ONE}/deployments`, deploy],
  ['PATCH', `${ONE}/script-settings`, setSettings],
]

async function upload(call: Call): Promise<Response> {
  const { name } = await scriptOf(call)
  const started = performance.now()
  const update = await receiveWorker(call)
  const id = call.context.waitingVersions.add({ script: name, update })
  const metadata = { has_preview: false, source: 'wrangler', created_on: new Date(call.context.now()).toISOString() }
  return succeed({ id, startup_time_ms: Math.ceil(performance.now() - started), metadata, resources: { script: { etag: id.replaceAll('-', '') } } })
}

async function deploy(call: Call): Promise<Response> {
  const { versions, annotations } = await readJson(call.request, NewDeployment)
  const { name, namespace } = await scriptOf(call)
  const id = String(versions[0]?.version_id)
  const update = call.context.waitingVersions.find(id, name)
  if (update === undefined) throw new CloudflareError(404, 10_021, `versions: no version ${id.slice(0, 100)} of ${name} waits here`)
  const message = annotations?.['workers/message']
  const script = await call.context.store.updateScript(namespace, name, async (current) => {
    const content = await update(current)
    return { ...content, version: { ...content.version, id, ...(message === undefined ? {} : { message }) } }
  })
  return succeed(shownDeployment(await updateTriggers(call, (triggers) => rememberDeployment(triggers, script))))
}

async function setSettings(call: Call): Promise<Response> {
  const sent = await readJson(call.request, z.record(z.string(), z.unknown()))
  const told = Object.fromEntries(Object.entries(sent).filter(([, value]) => value !== null))
  const settings = settingsOf(check(told, SettingsPatch))
  const { tags, logpush, observability } = await updateTarget(call, ({ version }) => ({ ...settings, version }))
  return succeed({ tags, logpush: logpush ?? false, observability: observability ?? { enabled: false } })
}
