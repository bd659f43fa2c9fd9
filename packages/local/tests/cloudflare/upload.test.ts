import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { apiUnderTest, form, MAIN, TENANTS, type Part } from './api-under-test.ts'

const JS = 'application/javascript+module'

it('stores modules of every type, and gives them back as they came', async () => {
  const { upload, respond } = await apiUnderTest()
  const parts: Part[] = [
    MAIN,
    ['lib/é.js', 'export const a = 1', JS],
    ['old.cjs', 'module.exports = 1', 'application/javascript'],
    ['a.wasm', new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]), 'application/wasm'],
    ['a.txt', 'text', 'text/plain;charset=utf-8'],
    ['a.bin', new Uint8Array([255, 0, 128]), 'application/octet-stream'],
    ['a.json', '{"a":1}', 'application/json'],
    ['index.js.map', '{}', 'application/source-map'],
  ]

  const { status, result } = await upload('shop', form({}, parts))
  const content = await respond(
    new Request(`http://localhost/client/v4/accounts/acc${TENANTS}/scripts/shop/content`, { headers: { authorization: 'Bearer right' } }),
  )

  expect(status).toBe(200)
  expect(result).toMatchObject({ id: 'shop', handlers: ['fetch'], entry_point: 'index.js', has_modules: true, etag: expect.stringMatching(/^[0-9a-f]{64}$/) })
  expect(content.headers.get('cf-entrypoint')).toBe('index.js')
  const files = [...(await content.formData())].map(([name, file]) => [name, file] as const)
  for (const [index, [name, bytes]] of parts.entries()) {
    const [answeredName, file] = files[index] ?? []
    expect(answeredName).toBe(name)
    expect(file instanceof File && Buffer.from(await file.bytes())).toEqual(Buffer.from(bytes))
  }
})

it('takes modules by their file names where every part is called files, as the SDKs send them', async () => {
  const { store, upload } = await apiUnderTest()
  const made = new FormData()
  made.set('metadata', new File([JSON.stringify({ main_module: 'src/a.js' })], 'blob', { type: 'application/json' }))
  made.append('files', new File(['import "./b.js"; export default {}'], 'src/a.js', { type: JS }))
  made.append('files', new File([''], 'src/b.js', { type: JS }))

  const { status } = await upload('shop', made)

  expect(status).toBe(200)
  expect((await store.getScript('tenants', 'shop'))?.modules.map(({ name }) => name)).toEqual(['src/a.js', 'src/b.js'])
})

it('keeps the id of a script over uploads and changes its etag exactly with its code', async () => {
  const { store, upload } = await apiUnderTest()
  await upload('shop', form())
  const first = await store.getScript('tenants', 'shop')

  await upload('shop', form({ tags: ['new'] }))
  const second = await store.getScript('tenants', 'shop')
  await upload('shop', form({}, [['index.js', 'export default { scheduled() {} }']]))
  const third = await store.getScript('tenants', 'shop')

  expect([second?.id, third?.id]).toEqual([first?.id, first?.id])
  expect(second?.etag).toBe(first?.etag)
  expect(third?.etag).not.toBe(first?.etag)
  expect(second?.version.id).not.toBe(first?.version.id)
})

describe('a main module', () => {
  it.each([
    ['an object', 'export default { fetch() {}, async queue() {} }', ['fetch', 'queue']],
    ['a variable, as bundlers write it', 'var w = { fetch() {} }; export { w as default }', ['fetch']],
    ['a class', 'export default class { fetch() {} }', ['fetch']],
    ['a class by name', 'class A { constructor() {} fetch() {} }\nexport default A', ['fetch']],
    ['what a call makes', 'export default make()\nfunction make() {}', []],
    ['only a named class', 'export class Inner {}', []],
    ['only a named class in a variable', 'var Inner = class {}\nexport { Inner }', []],
    ['what another module exports', 'export * from "./other.js"', []],
  ])('may export %s', async (_what, code, handlers) => {
    const { upload } = await apiUnderTest()

    const { status, result } = await upload('shop', form({}, [['index.js', code]]))

    expect({ status, result }).toMatchObject({ status: 200, result: { handlers } })
  })
})

it('takes a service worker by its listeners', async () => {
  const { store, upload } = await apiUnderTest()
  const script = new FormData()
  script.set('metadata', JSON.stringify({ body_part: 'script' }))
  script.set('script', new File(['addEventListener("fetch", () => {})'], 'worker.js', { type: 'application/javascript' }))

  const { status } = await upload('shop', script)

  expect(status).toBe(200)
  expect(await store.getScript('tenants', 'shop')).toMatchObject({ mainModule: 'script', handlers: ['fetch'], modules: [{ type: 'cjs' }] })
})

const binding = (given: object) => form({ bindings: [{ name: 'B', ...given }] })

describe('an upload is refused, and changes nothing, for', () => {
  it.each<[string, number, string, () => FormData]>([
    ['no metadata', 10_021, 'no part named metadata', () => new FormData()],
    ['metadata that is not JSON', 10_026, 'metadata is not JSON', () => form('{')],
    ['a field of the wrong type', 10_026, 'compatibility_flags', () => form({ compatibility_flags: 'x' })],
    ['no main module', 10_021, 'main_module or body_part', () => form({ main_module: undefined })],
    ['a main module that is no part', 10_021, 'main_module: the upload has no part named "other.js"', () => form({ main_module: 'other.js' })],
    ['a main module that is no module', 10_021, 'main_module: a.txt must have', () => form({}, [['a.txt', 'x', 'text/plain']])],
    ['an unknown content type', 10_021, 'a.png: the content type "image/png"', () => form({}, [MAIN, ['a.png', 'x', 'image/png']])],
    ['Python', 10_021, 'a.py: Python', () => form({}, [MAIN, ['a.py', 'x', 'text/x-python']])],
    ['an absolute module name', 10_021, '"/etc/passwd": a module name', () => form({}, [MAIN, ['/etc/passwd', '', JS]])],
    ['a module name that leaves', 10_021, '"a/../../b.js": a module name', () => form({}, [MAIN, ['a/../../b.js', '', JS]])],
    ['a module name with a backslash', 10_021, 'a module name', () => form({}, [MAIN, ['a\\b.js', '', JS]])],
    ['a module name with NUL', 10_021, 'a module name', () => form({}, [MAIN, ['a\0.js', '', JS]])],
    ['two modules of one name', 10_021, 'index.js: two modules', () => form({}, [MAIN, MAIN])],
    ['code that does not parse', 10_021, 'Uncaught SyntaxError: Unexpected token at index.js:2:11', () => form({}, [['index.js', '//é😀\nconst a = ;']])],
    ['another module that does not parse', 10_021, 'at lib/b.js:1:', () => form({}, [MAIN, ['lib/b.js', '}', JS]])],
    ['JSON that does not parse', 10_021, 'a.json: is not JSON', () => form({}, [MAIN, ['a.json', '{', 'application/json']])],
    ['code that is not UTF-8', 10_021, 'index.js: is not UTF-8', () => form({}, [['index.js', new Uint8Array([255])]])],
    ['nothing to run', 10_068, 'no registered event handlers', () => form({}, [['index.js', 'export const a = 1']])],
    ['a date to come', 10_021, 'compatibility_date', () => form({ compatibility_date: '2026-12-24' })],
    ['a date that no calendar has', 10_021, 'compatibility_date: 2026-02-30', () => form({ compatibility_date: '2026-02-30' })],
    ['nine tags', 10_026, 'at most 8 tags', () => form({ tags: [...'abcdefghi'] })],
    ['a binding of a kind that cannot run', 10_021, 'binding B of type kv_namespace', () => binding({ type: 'kv_namespace', namespace_id: 'x' })],
    ['a binding without a name', 10_052, 'no name', () => form({ bindings: [{ type: 'assets' }] })],
    ['a binding without its text', 10_021, 'binding B of type plain_text must have a valid `text`', () => binding({ type: 'plain_text' })],
    ['two bindings of one name', 10_053, "'B' already in use", () => form({ bindings: ['a', 'b'].map((text) => ({ name: 'B', type: 'plain_text', text })) })],
    ['a part that is not there', 10_021, 'binding B of type wasm_module: the upload has no part', () => binding({ type: 'wasm_module', part: 'x' })],
    ['static files that are not there', 10_021, 'binding B of type assets', () => binding({ type: 'assets' })],
    ['a sibling', 10_143, "Service binding 'B' references Worker 'sibling'", () => binding({ type: 'service', service: 'sibling' })],
    ['itself', 10_143, "references Worker 'shop'", () => binding({ type: 'service', service: 'shop' })],
    ['a class no migration made', 10_061, "class 'C'", () => binding({ type: 'durable_object_namespace', class_name: 'C' })],
    ['a migration for another state', 10_079, 'migrations.old_tag', () => form({ migrations: { old_tag: 'v1', new_tag: 'v2', steps: [] } })],
    ['a long variable', 10_054, "'B' is too large", () => binding({ type: 'plain_text', text: 'x'.repeat(5121) })],
    ['many variables', 10_055, 'at most 128', () => form({ bindings: [...Array(129).keys()].map((n) => ({ name: `V${n}`, type: 'plain_text', text: '' })) })],
    ['a secret to keep that is not there', 10_057, "inherit binding 'B' is invalid", () => binding({ type: 'secret_text' })],
    ['an unknown token of static files', 10_000, 'assets token', () => form({ assets: { jwt: 'a.b.c' } })],
  ])('%s', async (_what, code, message, made) => {
    const { store, upload } = await apiUnderTest()
    await upload('sibling', form())

    const { success, errors } = await upload('shop', made())

    expect({ success, errors }).toEqual({ success: false, errors: [{ code, message: expect.stringContaining(message) }] })
    expect((await store.listScripts('tenants')).map(({ name }) => name)).toEqual(['sibling'])
  })
})

it('refuses a script that is larger than 10 MiB compressed, source maps aside', async () => {
  const { upload } = await apiUnderTest()
  const noise = new Uint8Array(randomBytes(11 * 1_048_576))

  const heavy = await upload('heavy', form({}, [MAIN, ['a.bin', noise, 'application/octet-stream']]))
  const light = await upload('light', form({}, [MAIN, ['a.bin', new Uint8Array(11 * 1_048_576), 'application/octet-stream']]))
  const map = await upload('map', form({}, [MAIN, ['index.js.map', noise, 'application/source-map']]))

  expect(heavy).toMatchObject({ status: 413, errors: [{ code: 10_027 }] })
  expect(light.status).toBe(200)
  expect(map.status).toBe(200)
})

describe('a body of more than 32 MiB is refused', () => {
  const url = `http://localhost/client/v4/accounts/acc${TENANTS}/scripts/shop`
  const headers = { authorization: 'Bearer right', 'content-type': 'multipart/form-data; boundary=x' }

  it('before it is read, where it says its length', async () => {
    const { respond } = await apiUnderTest()
    let pulled = false
    const body = new ReadableStream({ pull: () => void (pulled = true) }, { highWaterMark: 0 })

    const { status } = await respond(new Request(url, { method: 'PUT', headers: { ...headers, 'content-length': '33554433' }, body, duplex: 'half' }))

    expect(status).toBe(413)
    expect(pulled).toBe(false)
  })

  it('once that much came, where it does not', async () => {
    const { respond } = await apiUnderTest()
    let sentBytes = 0
    const pull = (controller: ReadableStreamDefaultController): void => {
      sentBytes += 1_048_576
      controller.enqueue(new Uint8Array(1_048_576))
    }

    const { status } = await respond(new Request(url, { method: 'PUT', headers, body: new ReadableStream({ pull }), duplex: 'half' }))

    expect(status).toBe(413)
    expect(sentBytes).toBeLessThan(40 * 1_048_576)
  })
})
