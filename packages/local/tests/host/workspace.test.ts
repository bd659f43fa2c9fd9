import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { bundleService } from '../../src/host/bundle.ts'
import { discoverServices } from '../../src/host/workspace.ts'

const valid = { name: 'notes', main: 'index.js', compatibility_date: '2026-11-01' }

it('finds every folder with a wrangler.jsonc, by name, and no other', async () => {
  const root = await folder({
    'notes/wrangler.jsonc': JSON.stringify(valid),
    'notes/index.js': '',
    'docs/index.md': '',
    '.local/wrangler.jsonc': 'not a service',
  })
  await mkdir(join(root, 'alpha'))
  await writeFile(join(root, 'alpha/wrangler.jsonc'), JSON.stringify({ ...valid, name: 'alpha', main: '../notes/index.js' }))

  const services = await discoverServices(root)

  expect(services.map(({ name, folder, main }) => ({ name, folder, main }))).toEqual([
    { name: 'alpha', folder: join(root, 'alpha'), main: join(root, 'notes/index.js') },
    { name: 'notes', folder: join(root, 'notes'), main: join(root, 'notes/index.js') },
  ])
})

it.each([
  ['a missing field', { ...valid, main: undefined }, 'notes/wrangler.jsonc: main: '],
  ['a field of the wrong type', { ...valid, services: [{ binding: 'DB_SERVICE', service: 7 }] }, 'notes/wrangler.jsonc: services[0].service: '],
  ['a name that is not the folder’s', { ...valid, name: 'memos' }, 'notes/wrangler.jsonc: name is memos'],
  ['a main module that is absent', { ...valid, main: 'absent.ts' }, 'notes/wrangler.jsonc: main names absent.ts'],
  [
    'a binding to a Worker that is absent',
    { ...valid, services: [{ binding: 'DB_SERVICE', service: 'db' }] },
    'notes/wrangler.jsonc: services[0].service: no folder here holds a Worker named db',
  ],
])('names file and field of %s', async (_, config, message) => {
  const root = await folder({ 'notes/wrangler.jsonc': JSON.stringify(config), 'notes/index.js': '' })

  const discovery = discoverServices(root)

  await expect(discovery).rejects.toThrow(message)
})

it('names the line of a wrangler.jsonc that is no JSON', async () => {
  const root = await folder({ 'notes/wrangler.jsonc': '{\n  // the name\n  "name" "notes"\n}' })

  const discovery = discoverServices(root)

  await expect(discovery).rejects.toThrow('notes/wrangler.jsonc: line 3: ColonExpected')
})

it('says so when there is no service at all', async () => {
  const root = await folder({ 'docs/index.md': '' })

  const discovery = discoverServices(root)

  await expect(discovery).rejects.toThrow('no folder here holds a wrangler.jsonc')
})

it('bundles text and JSON, leaves the platform’s own modules out, and tells the size as deployed', async () => {
  const main =
    "import { env } from 'cloudflare:workers'\nimport sql from './one.sql'\nimport words from './words.json'\nexport default { fetch: () => new Response(sql + words.longWord + env.A) }"
  const files = { 'notes/index.js': main, 'notes/one.sql': 'select 1', 'notes/words.json': '{"longWord":"hippopotamus"}' }
  const root = await folder({ 'notes/wrangler.jsonc': JSON.stringify(valid), ...files })
  const [service] = await discoverServices(root)
  if (!service) throw new Error('A service was written')

  const plain = await bundleService(service, { minify: false })
  const minified = await bundleService(service, { minify: true })

  expect(plain.code).toContain('select 1')
  expect(plain.code).toContain('hippopotamus')
  expect(plain.code).toContain('from "cloudflare:workers"')
  expect(minified.sizeGzBytes).toBeGreaterThan(0)
  expect(minified.sizeGzBytes).toBeLessThan(plain.sizeGzBytes)
})

async function folder(files: Record<string, string>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'workspace-'))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  for (const [name, content] of Object.entries(files)) {
    await mkdir(join(root, name, '..'), { recursive: true })
    await writeFile(join(root, name), content)
  }
  return root
}
