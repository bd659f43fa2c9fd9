import { invalidUpload } from '../errors.ts'
import type { Script } from '../store/script.ts'
import type { Call, Route } from './context.ts'
import { pageOf, succeed, succeedWithPage } from './envelope.ts'
import { missing, namespaceOf, scriptNameOf, scriptOf } from './targets.ts'
import { receiveUpload } from './upload.ts'

/** What can be done to a script and to a namespace's scripts together. */
export function scriptRoutes(all: string): Route[] {
  return [
    ['GET', all, list],
    ['DELETE', all, removeTagged],
    ['GET', `${all}/:script`, get],
    ['PUT', `${all}/:script`, put],
    ['DELETE', `${all}/:script`, remove],
  ]
}

/** A script as lists and answers to an upload show it. */
export function shownScript(script: Script): object {
  const { tag, classes } = script.migrations ?? { classes: [] }
  return {
    id: script.name,
    tag: script.id,
    etag: script.etag,
    tags: script.tags,
    handlers: script.handlers,
    named_handlers: script.namedExports.map((name) => ({ name, handlers: classes.some((one) => one.name === name) ? ['class'] : [] })),
    entry_point: script.mainModule ?? null,
    has_modules: script.modules.some(({ type }) => type === 'esm'),
    has_assets: script.assets !== undefined,
    logpush: script.logpush ?? false,
    observability: script.observability ?? { enabled: false },
    placement: script.placement ?? {},
    tail_consumers: script.tailConsumers ?? null,
    compatibility_date: script.compatibilityDate ?? null,
    compatibility_flags: script.compatibilityFlags,
    usage_model: 'standard',
    last_deployed_from: 'api',
    deployment_id: script.version.id.replaceAll('-', ''),
    created_on: script.createdOn,
    modified_on: script.modifiedOn,
    ...(tag === undefined ? {} : { migration_tag: tag }),
  }
}

async function list(call: Call): Promise<Response> {
  const scripts = await tagged(call)
  const { items, resultInfo } = pageOf(scripts, call.url)
  return succeedWithPage({
    items: items.map((script) => ({ ...shownScript(script), script_name: script.name, dispatch_namespace: script.namespace })),
    resultInfo,
  })
}

async function get(call: Call): Promise<Response> {
  const script = await scriptOf(call)
  const { namespace, createdOn, modifiedOn } = script
  return succeed({ dispatch_namespace: namespace, script: shownScript(script), created_on: createdOn, modified_on: modifiedOn })
}

async function put(call: Call): Promise<Response> {
  const namespace = namespaceOf(call)
  const name = scriptNameOf(call)
  const started = performance.now()
  const update = await receiveUpload(call)
  const script = await call.context.store.updateScript(namespace, name, update)
  return succeed({ ...shownScript(script), startup_time_ms: Math.ceil(performance.now() - started) })
}

async function remove(call: Call): Promise<Response> {
  await scriptOf(call)
  await removeNamed(call, scriptNameOf(call))
  return succeed(null)
}

/** Without a filter this would empty a namespace, so it has to have one. */
async function removeTagged(call: Call): Promise<Response> {
  if (!call.url.searchParams.get('tags')) throw invalidUpload('tags: is missing; it names the scripts to delete, like tags=customer-1:yes')
  const scripts = await tagged(call)
  for (const { name } of scripts) await removeNamed(call, name)
  return succeed(scripts.map(({ name }) => ({ id: name })))
}

async function removeNamed(call: Call, name: string): Promise<void> {
  try {
    await call.context.store.deleteScript(namespaceOf(call), name)
  } catch (error) {
    throw (await call.context.store.getScript(namespaceOf(call), name)) === undefined ? missing(call) : error
  }
}

/** The scripts that have every tag with `yes` and none with `no` in `tags=a:yes,b:no`. */
async function tagged(call: Call): Promise<Script[]> {
  const conditions = (call.url.searchParams.get('tags') ?? '')
    .split(',')
    .filter((text) => text !== '')
    .map(conditionOf)
  const scripts = await call.context.store.listScripts(namespaceOf(call))
  return scripts.filter(({ tags }) => conditions.every(({ tag, wanted }) => tags.includes(tag) === wanted))
}

function conditionOf(text: string): { tag: string; wanted: boolean } {
  const [, tag, answer] = /^(.+):(yes|no)$/.exec(text) ?? []
  if (tag === undefined) throw invalidUpload(`tags: ${JSON.stringify(text.slice(0, 100))} is not of the form tag:yes or tag:no`)
  return { tag, wanted: answer === 'yes' }
}
