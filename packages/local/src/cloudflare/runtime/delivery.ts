import { scriptKey, type AssetConfig, type DeliveredModule, type DeliveredScript, type ScriptName } from './protocol.ts'
import type { Script, ScriptModule } from '../store/script.ts'
import type { Store } from '../store/store.ts'

/** What the runtime reads of the store. */
export type ScriptSource = Pick<Store, 'getScript' | 'readBlob' | 'onChange'>

/** Puts together what a shard needs to run a script; undefined when it is not there. */
export async function deliver(store: ScriptSource, { namespace, name }: ScriptName): Promise<DeliveredScript | undefined> {
  const script = await store.getScript(namespace, name)
  if (!script) return undefined
  const code = script.modules.filter(({ type }) => type !== 'sourcemap')
  return {
    namespace,
    name,
    version: { id: script.version.id, tag: script.version.tag ?? '', timestamp: script.version.createdOn },
    compatibilityDate: script.compatibilityDate ?? '2021-11-02',
    compatibilityFlags: script.compatibilityFlags,
    ...(script.mainModule === undefined ? {} : { mainModule: script.mainModule }),
    modules: await Promise.all(code.map(async (module) => delivered(store, module))),
    bindings: script.bindings,
    ...(script.assets ? { assets: assetsOf(script.assets) } : {}),
  }
}

/** An asset's bytes, if the script still has it; undefined otherwise. */
export async function readAsset(store: ScriptSource, script: ScriptName, path: string): Promise<Buffer | undefined> {
  const asset = (await store.getScript(script.namespace, script.name))?.assets?.manifest[path]
  return asset && (await store.readBlob(asset))
}

/** What keeps scripts in one process: a tenant's scripts have the same first tag. */
export function residentOf(script: Script): { key: string; affinity: string } {
  const key = scriptKey(script)
  return { key, affinity: script.tags[0] ?? key }
}

async function delivered(store: ScriptSource, module: ScriptModule): Promise<DeliveredModule> {
  const { name, type } = module
  if (type === 'sourcemap') throw new Error('A source map is not for the runtime.')
  const bytes = await store.readBlob(module)
  return { name, type, content: bytes.toString(type === 'wasm' || type === 'data' ? 'base64' : 'utf8') }
}

function assetsOf({ manifest, config }: NonNullable<Script['assets']>): NonNullable<DeliveredScript['assets']> {
  const files = Object.entries(manifest).map(([path, { sha256, contentType }]) => [
    path,
    { hash: sha256, ...(contentType === undefined ? {} : { contentType }) },
  ])
  return { config: config as AssetConfig, files: Object.fromEntries(files) }
}
