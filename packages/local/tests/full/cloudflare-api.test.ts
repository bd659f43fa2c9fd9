import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import type { TailSource } from '../../src/cloudflare/api/context.ts'
import { serveCloudflareApi } from '../../src/cloudflare/api/serve.ts'
import { openStore, type Store } from '../../src/cloudflare/store/store.ts'
import { wranglerProject, type WranglerProject } from './wrangler-project.ts'

const NAMESPACE = 'dotdo-production'

/** The eight bytes of an empty WebAssembly module. */
const EMPTY_WASM = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])

async function setUp({ tail }: { tail?: TailSource } = {}): Promise<{ store: Store; project: WranglerProject }> {
  const dir = await mkdtemp(join(tmpdir(), 'cloudflare-'))
  const store = await openStore(dir)
  const options = { store, accountId: 'a', apiToken: 'test-token', accountNamespace: NAMESPACE, ...(tail ? { tail } : {}) }
  const server = await serveCloudflareApi({ ...options, port: 0 })
  onTestFinished(async () => {
    await server.close()
    await rm(dir, { recursive: true, force: true })
  })
  return { store, project: await wranglerProject(server.url) }
}

async function writeWholeProject({ write }: WranglerProject): Promise<void> {
  const config = {
    name: 'shop--v1',
    main: 'src/index.mjs',
    compatibility_date: '2026-11-01',
    compatibility_flags: ['nodejs_als'],
    no_bundle: true,
    find_additional_modules: true,
    upload_source_maps: true,
    rules: [
      { type: 'ESModule', globs: ['**/*.mjs'] },
      { type: 'Text', globs: ['**/*.txt'] },
    ],
    vars: { GREETING: 'hello', LIMITS: { most: 3 } },
    assets: { directory: 'public', binding: 'ASSETS', not_found_handling: '404-page' },
    version_metadata: { binding: 'VERSION' },
    durable_objects: { bindings: [{ name: 'CARTS', class_name: 'Cart' }] },
    migrations: [{ tag: 'v1', new_sqlite_classes: ['Cart'] }],
  }
  await write('wrangler.json', JSON.stringify(config))
  const imports = `import { DurableObject } from 'cloudflare:workers'\nimport { price } from './lib/price.mjs'\nimport text from './note.txt'\nimport wasm from './empty.wasm'\n`
  const code = `${imports}export class Cart extends DurableObject {}\nexport default { fetch: () => new Response(text + price + wasm), scheduled() {} }\n//# sourceMappingURL=index.mjs.map\n`
  await write('src/index.mjs', code)
  await write('src/index.mjs.map', JSON.stringify({ version: 3, file: 'index.mjs', sources: ['index.ts'], names: [], mappings: '' }))
  await write('src/lib/price.mjs', 'export const price = 3\n')
  await write('src/note.txt', 'a note')
  await write('src/empty.wasm', EMPTY_WASM)
  await write('public/index.html', '<h1>shop</h1>')
  await write('public/logo.svg', '<svg xmlns="http://www.w3.org/2000/svg"/>')
}

const deploy = ['deploy', '--dispatch-namespace', NAMESPACE]

it('takes every command of wrangler on namespaces', async () => {
  const { store, project } = await setUp()

  const created = await project.wrangler(['dispatch-namespace', 'create', 'first'])
  const again = await project.wrangler(['dispatch-namespace', 'create', 'first'])
  const listed = await project.wrangler(['dispatch-namespace', 'list'])
  const renamed = await project.wrangler(['dispatch-namespace', 'rename', 'first', 'second'])
  const got = await project.wrangler(['dispatch-namespace', 'get', 'second'])
  const absent = await project.wrangler(['dispatch-namespace', 'get', 'first'])
  const deleted = await project.wrangler(['dispatch-namespace', 'delete', 'second'])

  expect(created).toEqual({ code: 0, output: expect.stringMatching(/Created dispatch namespace "first" with ID "[0-9a-f-]{36}"/) })
  expect(again).toEqual({ code: 1, output: expect.stringContaining('already exists') })
  expect(listed.output).toContain("namespace_name: 'first'")
  expect(renamed).toEqual({ code: 0, output: expect.stringContaining('Renamed dispatch namespace "first" to "second"') })
  expect(got.output).toContain("namespace_name: 'second'")
  expect(absent).toEqual({ code: 1, output: expect.stringContaining('dispatch_namespace_not_found [code: 100119]') })
  expect(deleted.code).toBe(0)
  expect(store.listNamespaces()).toEqual([])
})

it('takes a deployment with modules, static files, source maps and a migration, and the next one that sends only what is new', async () => {
  const { store, project } = await setUp()
  await store.createNamespace(NAMESPACE)
  await writeWholeProject(project)

  const first = await project.wrangler(deploy)
  const script = await store.getScript(NAMESPACE, 'shop--v1')

  expect(first).toEqual({ code: 0, output: expect.stringContaining('Uploaded shop--v1') })
  expect(script?.mainModule).toBe('index.mjs')
  expect(Object.fromEntries(script?.modules.map(({ name, type }) => [name, type]) ?? [])).toEqual({
    'index.mjs': 'esm',
    'lib/price.mjs': 'esm',
    'note.txt': 'text',
    'empty.wasm': 'wasm',
    'index.mjs.map': 'sourcemap',
  })
  expect(script?.handlers).toEqual(['fetch', 'scheduled'])
  expect(script?.migrations).toEqual({ tag: 'v1', classes: [{ name: 'Cart', storage: 'sqlite' }] })
  expect(script?.compatibilityFlags).toEqual(['nodejs_als'])
  expect(script?.bindings.map(({ name, type }) => [name, type])).toEqual(
    expect.arrayContaining([
      ['GREETING', 'plain_text'],
      ['LIMITS', 'json'],
      ['ASSETS', 'assets'],
      ['VERSION', 'version_metadata'],
      ['CARTS', 'durable_object_namespace'],
    ]),
  )
  const page = script?.assets?.manifest['/index.html']
  expect(page?.contentType).toContain('text/html')
  expect(String(await store.readBlob(page ?? { sha256: '' }))).toBe('<h1>shop</h1>')
  expect(script?.assets?.config).toMatchObject({ not_found_handling: '404-page' })

  await project.write('public/index.html', '<h1>shop, newer</h1>')
  const second = await project.wrangler(deploy)
  const redeployed = await store.getScript(NAMESPACE, 'shop--v1')

  expect(second).toEqual({ code: 0, output: expect.stringContaining('Uploaded 1 file (1 already uploaded)') })
  expect(redeployed?.id).toBe(script?.id)
  expect(redeployed?.migrations).toEqual(script?.migrations)
  expect(redeployed?.assets?.manifest['/logo.svg']).toEqual(script?.assets?.manifest['/logo.svg'])
})

it('keeps secrets that wrangler set over a deployment, and lists and deletes them by name', async () => {
  const { store, project } = await setUp()
  await store.createNamespace(NAMESPACE)
  await writeWholeProject(project)
  await project.wrangler(deploy)

  const put = await project.wrangler(['secret', 'put', 'API_KEY'], { input: 'sesame' })
  const bulk = await project.wrangler(['secret', 'bulk'], { input: JSON.stringify({ OTHER: 'open', THIRD: 'shut' }) })
  await project.wrangler(deploy)
  const listed = await project.wrangler(['secret', 'list'])
  const deleted = await project.wrangler(['secret', 'delete', 'OTHER'])
  const deletedAgain = await project.wrangler(['secret', 'delete', 'OTHER'])

  expect(put).toEqual({ code: 0, output: expect.stringContaining('Success! Uploaded secret API_KEY') })
  expect(bulk).toEqual({ code: 0, output: expect.stringContaining('2 secrets successfully created') })
  expect(listed.output).toContain('"name": "API_KEY"')
  expect(listed.output).not.toContain('sesame')
  expect(deleted).toEqual({ code: 0, output: expect.stringContaining('Success! Deleted secret OTHER') })
  expect(deletedAgain).toEqual({ code: 1, output: expect.stringContaining("Binding 'OTHER' not found [code: 10056]") })
  const bindings = (await store.getScript(NAMESPACE, 'shop--v1'))?.bindings
  expect(bindings).toContainEqual({ type: 'secret_text', name: 'API_KEY', text: 'sesame' })
  expect(bindings?.filter(({ type }) => type === 'secret_text')).toHaveLength(2)
})

it('makes a draft for a secret of a Worker that is not there, as wrangler offers', async () => {
  const { store, project } = await setUp()
  await store.createNamespace(NAMESPACE)

  const put = await project.wrangler(['secret', 'put', 'API_KEY', '--name', 'newcomer'], { input: 'sesame' })

  expect(put).toEqual({ code: 0, output: expect.stringContaining('Creating new Worker "newcomer"') })
  expect((await store.getScript(NAMESPACE, 'newcomer'))?.bindings).toEqual([{ type: 'secret_text', name: 'API_KEY', text: 'sesame' }])
})

it('tells wrangler why a deployment is refused, and stores nothing', async () => {
  const { store, project } = await setUp()
  await writeWholeProject(project)
  // wrangler itself parses the main module, and no other.
  await project.write('src/lib/price.mjs', 'export default {}\nconst a = ;\n')

  const unknownNamespace = await project.wrangler(deploy)
  await store.createNamespace(NAMESPACE)
  const wrongToken = await project.wrangler(deploy, { token: 'wrong' })
  const broken = await project.wrangler(deploy)

  expect(unknownNamespace).toEqual({ code: 1, output: expect.stringContaining('[code: 100119]') })
  expect(wrongToken).toEqual({ code: 1, output: expect.stringContaining('Authentication error [code: 10000]') })
  expect(broken).toEqual({ code: 1, output: expect.stringContaining('Uncaught SyntaxError: Unexpected token at lib/price.mjs:2:11 [code: 10021]') })
  expect(await store.listScripts(NAMESPACE)).toEqual([])
})

it('sends events to wrangler tail until the script is left, filtered as asked', async () => {
  const listeners = new Map<string, (event: object) => void>()
  const tail: TailSource = {
    subscribe(namespace, name, listener) {
      listeners.set(`${namespace}/${name}`, listener)
      return () => void listeners.delete(`${namespace}/${name}`)
    },
  }
  const { store, project } = await setUp({ tail })
  await store.createNamespace(NAMESPACE)
  await project.write('wrangler.json', JSON.stringify({ name: 'shop', main: 'index.js', compatibility_date: '2026-11-01' }))
  await project.write('index.js', 'export default { fetch() {} }\n')
  await project.wrangler(deploy)

  const tailing = project.start(['tail', 'shop', '--format', 'json', '--status', 'error'])
  onTestFinished(() => void tailing.kill('SIGKILL'))
  let output = ''
  tailing.stdout?.on('data', (chunk) => (output += String(chunk)))
  await vi.waitFor(() => expect(listeners.has(`${NAMESPACE}/shop`)).toBe(true), 120_000)
  const event = { scriptName: 'shop', logs: [{ level: 'log', message: ['x'.repeat(100_000)] }], exceptions: [], eventTimestamp: 1, event: null }
  listeners.get(`${NAMESPACE}/shop`)?.({ ...event, outcome: 'ok', scriptName: 'unwanted' })
  listeners.get(`${NAMESPACE}/shop`)?.({ ...event, outcome: 'exception' })

  await vi.waitFor(() => expect(JSON.parse(output)).toEqual({ ...event, outcome: 'exception' }), 120_000)
  tailing.kill('SIGTERM')
  await vi.waitFor(() => expect(listeners.size).toBe(0), 120_000)
})
