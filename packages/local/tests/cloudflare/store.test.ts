import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Change, ScriptContent } from '../../src/cloudflare/store/script.ts'
import { openStore, type Store } from '../../src/cloudflare/store/store.ts'
import { directory } from './api-under-test.ts'

async function contentWith(store: Store, text: string, rest: Partial<ScriptContent> = {}): Promise<ScriptContent> {
  const blob = await store.writeBlob(Buffer.from(text))
  const modules: ScriptContent['modules'] = [{ name: 'index.js', type: 'esm', ...blob }]
  const base = { handlers: [], namedExports: [], bindings: [], compatibilityFlags: [], tags: [], version: { id: text, createdOn: '' } }
  return { mainModule: 'index.js', modules, ...base, ...rest }
}

async function filesBelow(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

it('has after opening again what it had, in files only their owner can read', async () => {
  const dir = await directory()
  const store = await openStore(dir)
  await store.createNamespace('tenants')
  const content = await contentWith(store, 'code')
  const written = await store.updateScript('tenants', 'shop', () => ({ ...content, bindings: [{ type: 'secret_text', name: 'KEY', text: 'sesame' }] }))

  const again = await openStore(dir)

  expect(again.listNamespaces()).toEqual(store.listNamespaces())
  expect(await again.getScript('tenants', 'shop')).toEqual(written)
  expect(String(await again.readBlob(content.modules[0] ?? { sha256: '' }))).toBe('code')
  for (const file of await filesBelow(dir)) expect((await stat(file)).mode & 0o777).toBe(0o600)
  for (const folder of ['', 'scripts', 'namespaces', 'blobs']) expect((await stat(join(dir, folder))).mode & 0o777).toBe(0o700)
})

it('sweeps at opening what no script names and what was never finished', async () => {
  const dir = await directory()
  const store = await openStore(dir)
  const { id } = await store.createNamespace('tenants')
  const kept = await contentWith(store, 'kept')
  const asset = { hash: 'x', ...(await store.writeBlob(Buffer.from('asset'))) }
  await store.updateScript('tenants', 'shop', () => ({ ...kept, assets: { manifest: { '/a': asset }, config: {} } }))
  const orphan = await store.writeBlob(Buffer.from('orphan'))
  await writeFile(join(dir, 'scripts', id, '.draft-x'), '{')
  await writeFile(join(dir, 'namespaces', '.draft-x'), '{')

  const again = await openStore(dir)

  await expect(again.readBlob(orphan)).rejects.toThrow('has lost the bytes')
  expect(String(await again.readBlob(asset))).toBe('asset')
  expect((await filesBelow(dir)).filter((file) => file.includes('draft'))).toEqual([])
  expect(await again.listScripts('tenants')).toHaveLength(1)
})

it('makes each update of a script from what the one before it left', async () => {
  const store = await openStore(await directory())
  await store.createNamespace('tenants')
  const content = await contentWith(store, 'code')
  const add = (tag: string) => store.updateScript('tenants', 'shop', (current) => ({ ...content, tags: [...(current?.tags ?? []), tag] }))

  await Promise.all(['a', 'b', 'c', 'd'].map(add))

  expect((await store.getScript('tenants', 'shop'))?.tags).toEqual(['a', 'b', 'c', 'd'])
})

it('changes nothing by an update that fails', async () => {
  const store = await openStore(await directory())
  await store.createNamespace('tenants')
  const content = await contentWith(store, 'code')
  const before = await store.updateScript('tenants', 'shop', () => content)

  await expect(store.updateScript('tenants', 'shop', () => Promise.reject(new Error('no')))).rejects.toThrow('no')

  expect(await store.getScript('tenants', 'shop')).toEqual(before)
})

describe('listeners', () => {
  it('are done before a write is, and find it done', async () => {
    const store = await openStore(await directory())
    await store.createNamespace('tenants')
    const seen: unknown[] = []
    const stop = store.onChange(async (change) => {
      const script = await store.getScript(change.namespace, change.name)
      seen.push([change.kind, script?.tags])
    })
    const content = await contentWith(store, 'code', { tags: ['a'] })

    await store.updateScript('tenants', 'shop', () => content)
    expect(seen).toEqual([['put', ['a']]])
    await store.deleteScript('tenants', 'shop')
    expect(seen.slice(1)).toEqual([['delete', undefined]])
    stop()
    await store.updateScript('tenants', 'shop', () => content)
    expect(seen).toHaveLength(2)
  })

  it('hear scripts leave a namespace that is renamed and enter it by its new name', async () => {
    const store = await openStore(await directory())
    await store.createNamespace('old')
    const content = await contentWith(store, 'code')
    await store.updateScript('old', 'shop', () => content)
    const changes: Change[] = []
    store.onChange(async (change) => void changes.push(change))

    await store.renameNamespace('old', 'new')

    expect(changes).toEqual([
      { namespace: 'old', name: 'shop', kind: 'delete' },
      { namespace: 'new', name: 'shop', kind: 'put' },
    ])
    expect(await store.getScript('new', 'shop')).toMatchObject({ namespace: 'new', name: 'shop' })
    expect(await store.getScript('old', 'shop')).toBeUndefined()
  })
})

it('takes no script into a namespace that is being deleted, and deletes none that a script gets into', async () => {
  const store = await openStore(await directory())
  await store.createNamespace('tenants')
  const content = await contentWith(store, 'code')

  const outcomes = await Promise.allSettled([store.updateScript('tenants', 'shop', () => content), store.deleteNamespace('tenants')])

  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
  expect(await store.listScripts('tenants')).toHaveLength(1)
})

it('never follows a name out of its directory', async () => {
  const dir = await directory()
  await mkdir(join(dir, 'state'))
  await writeFile(join(dir, 'outside'), '{}')
  const store = await openStore(join(dir, 'state'))
  await store.createNamespace('tenants')
  const content = await contentWith(store, 'code')

  expect(await store.getScript('tenants', '../../../outside')).toBeUndefined()
  await expect(store.updateScript('tenants', '../../../outside', () => content)).rejects.toMatchObject({ code: 10_016 })
  await expect(store.readBlob({ sha256: '../../../outside' })).rejects.toThrow('64 hex digits')
  expect(await readFile(join(dir, 'outside'), 'utf8')).toBe('{}')
})
