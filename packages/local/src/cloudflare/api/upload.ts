import { CloudflareError, invalidUpload } from '../errors.ts'
import type { Binding, Script, ScriptAssets, ScriptContent, ScriptModule } from '../store/script.ts'
import type { ScriptUpdate } from '../store/store.ts'
import { assetsOfToken } from './assets.ts'
import { check } from './body.ts'
import type { Call } from './context.ts'
import { checkClasses, migrate } from './migrations.ts'
import { namespaceOf, newVersion, scriptNameOf } from './targets.ts'
import { resolveBindings } from './upload-bindings.ts'
import { checkCode, type Offer } from './upload-code.ts'
import { readUpload, type UploadedModule } from './upload-form.ts'
import { checkCompatibilityDate, definedIn, settingsOf, UploadMetadata, type Metadata } from './upload-metadata.ts'

/** Code that has been checked and whose bytes are stored. */
export interface Code extends Offer {
  mainModule?: string
  modules: ScriptModule[]
}

/** Reads and checks an upload. What depends on the script as it is, its bindings for one, is checked when the update runs; bytes are stored after that. */
export async function receiveUpload(call: Call): Promise<ScriptUpdate> {
  const { metadata: sent, modules } = await readUpload(call.request)
  const metadata = check(sent, UploadMetadata)
  checkCompatibilityDate(metadata.compatibility_date, call.context.now())
  const manifest = metadata.assets?.jwt === undefined ? undefined : assetsOfToken(call, metadata.assets.jwt)
  const main = mainOf(modules, metadata, manifest !== undefined)
  const offer = main ? await checkCode(modules, main) : { handlers: [], namedExports: [] }
  const strict = call.url.searchParams.get('bindings_inherit') === 'strict'
  const name = scriptNameOf(call)
  return async (current) => {
    const bindings = resolveBindings(metadata.bindings ?? [], { current, keep: metadata.keep_bindings ?? [], strict })
    const migrations = metadata.migrations ? migrate(current, metadata.migrations) : current?.migrations
    const assets = assetsOf(metadata, current, manifest)
    checkClasses({ bindings, name, ...definedIn({ migrations }) })
    await checkParts(call, { bindings, modules, hasAssets: assets !== undefined })
    const code = { ...definedIn({ mainModule: main?.name }), modules: await store(call, modules), ...offer }
    return { ...contentOf(call, metadata, code), bindings, ...definedIn({ assets, migrations }) }
  }
}

/** Reads and checks new code for a script that keeps all else. */
export async function receiveCode(call: Call): Promise<Code> {
  const { metadata: sent, modules } = await readUpload(call.request)
  const main = mainOf(modules, check(sent, UploadMetadata), false)
  if (main === undefined) throw invalidUpload('main_module: is missing')
  const offer = await checkCode(modules, main)
  return { mainModule: main.name, modules: await store(call, modules), ...offer }
}

/** Refuses bindings to scripts of the same namespace, which the hosted product does not resolve. */
export async function refuseSiblings(call: Call, bindings: readonly Binding[]): Promise<void> {
  for (const binding of bindings) {
    if (binding.type !== 'service') continue
    const { name, service } = binding
    if (service !== scriptNameOf(call) && (await call.context.store.getScript(namespaceOf(call), service)) === undefined) continue
    const text = `Service binding '${name}' references Worker '${service}' which was not found.`
    throw new CloudflareError(400, 10_143, `${text} A script of a dispatch namespace cannot bind another one of it.`)
  }
}

function contentOf(call: Call, metadata: Metadata, code: Code): Omit<ScriptContent, 'bindings' | 'assets' | 'migrations'> {
  const { 'workers/message': message, 'workers/tag': tag } = metadata.annotations ?? {}
  const version = { ...newVersion(call), ...definedIn({ message, tag }) }
  return { compatibilityFlags: [], tags: [], ...settingsOf(metadata), ...code, version }
}

function mainOf(modules: UploadedModule[], { main_module, body_part, assets }: Metadata, hasFiles: boolean): UploadedModule | undefined {
  const name = main_module ?? body_part
  if (name === undefined) {
    if (modules.length === 0 && assets && hasFiles) return undefined
    throw invalidUpload('metadata: main_module or body_part has to name a part')
  }
  const field = main_module === undefined ? 'body_part' : 'main_module'
  const main = modules.find((module) => module.name === name)
  if (main === undefined) throw invalidUpload(`${field}: the upload has no part named ${JSON.stringify(name.slice(0, 100))}`)
  const [wanted, type] = main_module === undefined ? ['cjs', 'application/javascript'] : ['esm', 'application/javascript+module']
  if (main.type !== wanted) throw invalidUpload(`${field}: ${main.name} must have the content type ${type}`)
  return main
}

function assetsOf({ assets, keep_assets }: Metadata, current: Script | undefined, manifest: ScriptAssets['manifest'] | undefined): ScriptAssets | undefined {
  const kept = keep_assets || assets ? current?.assets : undefined
  const files = manifest ?? kept?.manifest
  return files && { manifest: files, config: assets?.config ?? kept?.config ?? {} }
}

async function checkParts(call: Call, { bindings, modules, hasAssets }: { bindings: Binding[]; modules: UploadedModule[]; hasAssets: boolean }): Promise<void> {
  for (const binding of bindings) {
    if (binding.type === 'assets' && !hasAssets) throw invalidUpload(`binding ${binding.name} of type assets: the upload has no static files`)
    if (!('part' in binding) || modules.some(({ name }) => name === binding.part)) continue
    throw invalidUpload(`binding ${binding.name} of type ${binding.type}: the upload has no part named ${JSON.stringify(binding.part)}`)
  }
  await refuseSiblings(call, bindings)
}

async function store({ context }: Call, modules: UploadedModule[]): Promise<ScriptModule[]> {
  const stored = []
  for (const { name, type, bytes } of modules) stored.push({ name, type, ...(await context.store.writeBlob(bytes)) })
  return stored
}
