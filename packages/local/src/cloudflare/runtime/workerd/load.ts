import type { DeliveredModule, DeliveredScript, DispatchCall } from '../protocol.ts'
import type { Binding } from '../../store/script.ts'
import type { Exports, HostEnv } from './environment.ts'
import { isolateId } from './isolate.ts'

/** A script that is ready to run. */
export interface Loaded {
  script: DeliveredScript
  worker: WorkerStub
  assets: Fetcher
}

/** What loading needs of the object that loads. */
export interface Loading {
  env: HostEnv
  exports: Exports
}

/** The main module of a script that consists of assets only. */
const NOTHING = 'export default { fetch: () => new Response("Not found", { status: 404 }) }'

/** Asks the Node side for a script and loads it. Fails with 'Worker not found.' when there is none, as Cloudflare does. */
export async function loadScript(loading: Loading, call: DispatchCall): Promise<Loaded> {
  const query = new URLSearchParams({ namespace: call.namespace, name: call.name })
  const response = await loading.env.CONTROL.fetch(`http://control/script?${query}`)
  if (response.status === 404) throw new Error('Worker not found.')
  if (!response.ok) throw new Error(`The script could not be read: ${await response.text()}`)
  const script: DeliveredScript = await response.json()
  const { namespace, name } = call
  const assets = loading.exports.Assets({ props: { namespace, name, assets: script.assets } })
  return { script, worker: loading.env.LOADER.load(codeOf({ loading, script, call, assets })), assets }
}

interface Parts {
  loading: Loading
  script: DeliveredScript
  call: DispatchCall
  assets: Fetcher
}

function codeOf(parts: Parts): WorkerLoaderWorkerCode {
  const { loading, script, call } = parts
  const { namespace, name } = script
  const modules = script.modules.map((module) => [module.name, moduleOf(module)] as const)
  return {
    compatibilityDate: script.compatibilityDate,
    compatibilityFlags: script.compatibilityFlags,
    mainModule: script.mainModule ?? 'assets-only.js',
    modules: script.mainModule === undefined ? { 'assets-only.js': NOTHING } : Object.fromEntries(modules),
    env: Object.fromEntries(script.bindings.map((binding) => [binding.name, bindingOf(parts, binding)])),
    globalOutbound: loading.exports.Egress({ props: { isolate: isolateId(call), outbound: call.outbound } }),
    tails: [loading.exports.Tail({ props: { namespace, name } })],
  }
}

function moduleOf({ type, content }: DeliveredModule): WorkerLoaderModule {
  switch (type) {
    case 'esm':
      return { js: content }
    case 'cjs':
      return { cjs: content }
    case 'text':
      return { text: content }
    case 'json':
      return { json: JSON.parse(content) }
    case 'data':
      return { data: bytesOf(content) }
    case 'wasm':
      return { wasm: bytesOf(content) }
  }
}

function bindingOf({ loading, script, call, assets }: Parts, binding: Binding): unknown {
  switch (binding.type) {
    case 'plain_text':
    case 'secret_text':
      return binding.text
    case 'json':
      return binding.json
    case 'text_blob':
      return new TextDecoder().decode(partOf(script, binding.part))
    case 'data_blob':
      return partOf(script, binding.part)
    case 'version_metadata':
      return script.version
    case 'assets':
      return assets
    case 'service': {
      const { service, entrypoint, props } = binding
      return loading.exports.Bridge({ props: { isolate: isolateId(call), service, entrypoint, props } })
    }
    default:
      throw new Error(`The binding ${binding.name} of the script ${script.name} is of type ${binding.type}, which does not run here.`)
  }
}

function partOf({ modules, name }: DeliveredScript, part: string): ArrayBuffer {
  const module = modules.find((one) => one.name === part)
  if (!module) throw new Error(`The script ${name} binds the part ${part}, which it does not have.`)
  return module.type === 'data' || module.type === 'wasm' ? bytesOf(module.content) : new Uint8Array(new TextEncoder().encode(module.content)).buffer
}

function bytesOf(base64: string): ArrayBuffer {
  return Uint8Array.fromBase64(base64).buffer
}
