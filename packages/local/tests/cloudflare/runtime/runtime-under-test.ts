import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Miniflare, type MiniflareOptions } from 'miniflare'
import type { RuntimeEvent } from '../../../src/cloudflare/runtime/events.ts'
import { prepareHome } from '../../../src/cloudflare/runtime/home.ts'
import { startRuntime, type Outbound, type Runtime, type RuntimeOptions } from '../../../src/cloudflare/runtime/runtime.ts'
import type { Binding, ModuleType, ScriptAssets } from '../../../src/cloudflare/store/script.ts'
import { openStore, type Store } from '../../../src/cloudflare/store/store.ts'

type WorkerOptions = MiniflareOptions['workers'][number]

/** A script as tests write it. */
export interface Upload {
  /** The main module, or modules by name with the main one first. */
  code?: string | Record<string, { type: ModuleType; content: string | Uint8Array }>
  bindings?: Binding[]
  tags?: string[]
  flags?: string[]
  assets?: ScriptAssets
}

export interface Scene {
  runtime: Runtime
  store: Store
  events: RuntimeEvent[]
  home: string
  /** Publishes a script into the namespace `tenants`. */
  publish(name: string, upload: Upload | string): Promise<void>
  /** Asks a script through the platform: the first part of the path is its name. */
  get(path: string, init?: Parameters<Miniflare['dispatchFetch']>[1]): ReturnType<Miniflare['dispatchFetch']>
  /** Runs the body of an async function in a Worker that has the binding `NS`, and answers what it returns. */
  run(body: string): Promise<unknown>
  url: URL
  /** To be called when the tests are over. */
  stop(): Promise<void>
}

/** Sends a request on to the script its path begins with; `x-limits` and `x-outbound` hold options as JSON. */
const DISPATCHER = `
const AsyncFunction = (async () => {}).constructor
export default {
  async fetch(request, env) {
    const url = new URL(request.url)
    const [, name, ...rest] = url.pathname.split('/')
    url.pathname = '/' + rest.join('/')
    const options = { limits: JSON.parse(request.headers.get('x-limits') ?? '{}') }
    const outbound = request.headers.get('x-outbound')
    if (outbound) options.outbound = JSON.parse(outbound)
    try {
      if (name === 'run!') return Response.json((await RUN[await request.text()](env)) ?? null)
      return await env.NS.get(name, { plan: 'free' }, options).fetch(new Request(url, request))
    } catch (error) {
      return Response.json({ name: error.name, message: error.message }, { status: 503 })
    }
  },
}
`

/** What a test file's platform consists of. */
export interface SceneOptions extends Partial<Omit<RuntimeOptions, 'store' | 'home' | 'stateDir' | 'onEvent'>> {
  workers?: WorkerOptions[]
  outbound?: Outbound
  /** Bodies for `run`, which a Worker cannot compile itself. */
  bodies?: string[]
}

/** Starts a store, a runtime and a platform. */
export async function scene({ workers = [], outbound, bodies = [], ...options }: SceneOptions = {}): Promise<Scene> {
  const dir = await mkdtemp(join(tmpdir(), 'runtime-'))
  const store = await openStore(join(dir, 'store'))
  await store.createNamespace('tenants')
  const events: RuntimeEvent[] = []
  const home = await prepareHome()
  const runtime = await startRuntime({ store, stateDir: join(dir, 'runtime'), home, onEvent: (event) => events.push(event), ...options })
  const table = `const RUN = [${bodies.map((body) => `async (env) => {${body}}`).join(',\n')}]\n`
  const dispatcher = worker('dispatcher', `${table}${DISPATCHER}`, { NS: runtime.dispatchNamespace('tenants', outbound) })
  const platform = new Miniflare({ port: 0, cf: false, telemetry: { enabled: false }, workers: [dispatcher, ...workers] })
  const url = await platform.ready
  return {
    runtime,
    store,
    events,
    home,
    url,
    async stop() {
      await platform.dispose()
      await runtime.stop()
      await rm(dir, { recursive: true, force: true })
    },
    publish: (name, upload) => publish(store, name, typeof upload === 'string' ? { code: upload } : upload),
    get: (path, init) => platform.dispatchFetch(new URL(path, url), init),
    async run(body) {
      const response = await platform.dispatchFetch(new URL('/run!', url), { method: 'POST', body: String(bodies.indexOf(body)) })
      return response.json()
    },
  }
}

/** A Worker of the platform: one module, or several with the main one first. */
export function worker(name: string, code: string | Record<string, string>, env: Record<string, unknown> = {}): WorkerOptions {
  const files = typeof code === 'string' ? { 'main.js': code } : code
  const [mainModule = ''] = Object.keys(files)
  const modules = Object.fromEntries(Object.entries(files).map(([file, contents]) => [file, { type: 'esm', contents } as const]))
  return { config: { name, manifest: { mainModule, modules }, compatibilityDate: '2026-11-01', env: env as NonNullable<WorkerOptions['config']['env']> } }
}

async function publish(store: Store, name: string, { code, bindings = [], tags = [], flags = [], assets }: Upload): Promise<void> {
  const files = typeof code === 'string' ? { 'main.js': { type: 'esm' as const, content: code } } : (code ?? {})
  const [mainModule] = Object.keys(files)
  const modules = await Promise.all(
    Object.entries(files).map(async ([module, { type, content }]) => ({ name: module, type, ...(await store.writeBlob(Buffer.from(content))) })),
  )
  await store.updateScript('tenants', name, () => ({
    ...(mainModule === undefined ? {} : { mainModule }),
    modules,
    handlers: [],
    namedExports: [],
    bindings,
    compatibilityDate: '2026-11-01',
    compatibilityFlags: flags,
    tags,
    ...(assets ? { assets } : {}),
    version: { id: crypto.randomUUID(), createdOn: new Date().toISOString() },
  }))
}
