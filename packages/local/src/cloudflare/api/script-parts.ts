import type { ModuleType, Script } from '../store/script.ts'
import { check, readJson } from './body.ts'
import type { Call, Route } from './context.ts'
import { succeed } from './envelope.ts'
import { checkClasses, migrate } from './migrations.ts'
import { shownScript } from './scripts.ts'
import { scriptOf, updateTarget } from './targets.ts'
import { receiveCode, refuseSiblings } from './upload.ts'
import { resolveBindings, shownBinding } from './upload-bindings.ts'
import { readUpload } from './upload-form.ts'
import { checkCompatibilityDate, settingsOf, SettingsPatch, Tags, type Settings } from './upload-metadata.ts'

/** What can be read and changed of a script without a whole upload. */
export function scriptPartRoutes(one: string): Route[] {
  return [
    ['GET', `${one}/content`, getContent],
    ['GET', `${one}/content/v2`, getContent],
    ['PUT', `${one}/content`, putContent],
    ['GET', `${one}/settings`, getSettings],
    ['PATCH', `${one}/settings`, patchSettings],
    ['GET', `${one}/script-settings`, getSettings],
    ['PATCH', `${one}/script-settings`, patchSettings],
    ['GET', `${one}/bindings`, getBindings],
    ['GET', `${one}/tags`, getTags],
    ['PUT', `${one}/tags`, putTags],
    ['PUT', `${one}/tags/:tag`, addTag],
    ['DELETE', `${one}/tags/:tag`, removeTag],
  ]
}

const CONTENT_TYPES: Record<ModuleType, string> = {
  esm: 'application/javascript+module',
  cjs: 'application/javascript',
  wasm: 'application/wasm',
  text: 'text/plain',
  data: 'application/octet-stream',
  json: 'application/json',
  sourcemap: 'application/source-map',
}

async function getContent(call: Call): Promise<Response> {
  const script = await scriptOf(call)
  const form = new FormData()
  for (const { name, type, sha256 } of script.modules) {
    form.append(name, new File([new Uint8Array(await call.context.store.readBlob({ sha256 }))], name, { type: CONTENT_TYPES[type] }))
  }
  const entrypoint = script.mainModule === undefined ? {} : { 'cf-entrypoint': encodeURI(script.mainModule) }
  return new Response(form, { headers: { etag: `"${script.etag}"`, ...entrypoint } })
}

async function putContent(call: Call): Promise<Response> {
  await scriptOf(call)
  const code = await receiveCode(call)
  return succeed(shownScript(await updateTarget(call, () => code)))
}

async function getSettings(call: Call): Promise<Response> {
  return succeed(shownSettings(await scriptOf(call)))
}

async function patchSettings(call: Call): Promise<Response> {
  const script = await scriptOf(call)
  const patch = await readSettings(call.request)
  checkCompatibilityDate(patch.compatibility_date, call.context.now())
  const nextBindings = (current: Script) => (patch.bindings ? resolveBindings(patch.bindings, { current, keep: [], strict: true }) : current.bindings)
  await refuseSiblings(call, patch.bindings ? nextBindings(script) : [])
  const updated = await updateTarget(call, (current) => {
    const bindings = nextBindings(current)
    const migrations = patch.migrations ? { migrations: migrate(current, patch.migrations) } : {}
    checkClasses({ ...current, bindings, ...migrations })
    return { ...settingsOf(patch), bindings, ...migrations }
  })
  return succeed(shownSettings(updated))
}

/** Cloudflare takes a form with the part `settings`, and JSON where wrangler sends it. */
async function readSettings(request: Request): Promise<Settings> {
  if (!request.headers.get('content-type')?.startsWith('multipart/form-data')) return await readJson(request, SettingsPatch)
  return check((await readUpload(request, 'settings')).metadata, SettingsPatch)
}

function shownSettings(script: Script): object {
  return {
    bindings: script.bindings.map(shownBinding),
    compatibility_date: script.compatibilityDate ?? null,
    compatibility_flags: script.compatibilityFlags,
    limits: script.limits ?? null,
    logpush: script.logpush ?? false,
    migration_tag: script.migrations?.tag ?? null,
    observability: script.observability ?? { enabled: false },
    placement: script.placement ?? {},
    tags: script.tags,
    tail_consumers: script.tailConsumers ?? null,
    usage_model: 'standard',
  }
}

async function getBindings(call: Call): Promise<Response> {
  return succeed((await scriptOf(call)).bindings.map(shownBinding))
}

async function getTags(call: Call): Promise<Response> {
  return succeed((await scriptOf(call)).tags)
}

async function putTags(call: Call): Promise<Response> {
  const tags = await readJson(call.request, Tags)
  return await changeTags(call, () => tags)
}

async function addTag(call: Call): Promise<Response> {
  return await changeTags(call, (tags, tag) => check([...tags, tag], Tags))
}

async function removeTag(call: Call): Promise<Response> {
  return await changeTags(call, (tags, tag) => tags.filter((one) => one !== tag))
}

async function changeTags(call: Call, change: (tags: string[], tag: string) => string[]): Promise<Response> {
  const script = await updateTarget(call, ({ tags, version }) => ({ tags: change(tags, call.params['tag'] ?? ''), version }))
  return succeed(script.tags)
}
