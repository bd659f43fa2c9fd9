import { describe, expect, it } from 'vitest'
import { readContent } from '../src/content.ts'
import type { Input } from '../src/operations.ts'

const NOW = new Date('2026-11-21T12:00:00Z')
const WORKER = 'export default { fetch: () => new Response() }'

const base64 = (text: string | Uint8Array): string => Buffer.from(text).toString('base64')

function read(input: Partial<Input<'deploy'>>) {
  return readContent({ service: 'hello', activate: true, smokePath: '/', metadata: {}, ...input }, NOW)
}

const module = (name: string, text = WORKER) => ({ name, content: base64(text) })

describe('content', () => {
  it.each<[what: string, input: Partial<Input<'deploy'>>, path: string, message: RegExp]>([
    ['neither script nor modules', {}, 'script', /is missing/],
    ['both', { script: base64(WORKER), modules: [module('a.js')] }, 'modules', /must be absent/],
    ['letters that are not base64’s', { script: 'a-_=' }, 'script', /is not base64/],
    ['base64 that was cut off', { script: base64(WORKER).slice(0, -1) }, 'script', /is not base64/],
    ['padding in the middle', { script: 'YQ==YQ==' }, 'script', /is not base64/],
    ['bytes that are not UTF-8', { script: base64(new Uint8Array([0xff, 0xfe])) }, 'script', /is not UTF-8/],
    [
      'text that is not UTF-8',
      { modules: [module('a.js'), { name: 'b.txt', content: base64(new Uint8Array([0xc0])) }] },
      'modules.1.content',
      /is not UTF-8 \(b\.txt\)/,
    ],
    ['a syntax error', { modules: [module('a.js'), module('lib/b.js', 'let a\nvar = 1')] }, 'modules.1.content', /lib\/b\.js, line 2, column 5/],
    ['a return at top level', { script: base64('return 1') }, 'script', /line 1, column 1: 'return' outside of function/],
    [
      'an import that leads nowhere',
      { modules: [module('a/b.js', `import '../c.js'\n${WORKER}`)] },
      'modules.0.content',
      /imports "\.\.\/c\.js" in a\/b\.js, line 1/,
    ],
    ['a package that was not bundled', { script: base64(`import { Hono } from 'hono'\n${WORKER}`) }, 'script', /imports "hono"/],
    ['JSON that is none', { modules: [module('a.js'), module('b.json', '{')] }, 'modules.1.content', /is not JSON \(b\.json\)/],
    ['WebAssembly that is none', { modules: [module('a.js'), module('b.wasm', 'asm')] }, 'modules.1.content', /is not WebAssembly/],
    ['a path upwards', { modules: [module('../a.js')] }, 'modules.0.name', /relative path/],
    ['a path upwards from within', { modules: [module('a/../../b.js')] }, 'modules.0.name', /relative path/],
    ['an absolute path', { modules: [module('/a.js')] }, 'modules.0.name', /relative path/],
    ['a backslash', { modules: [module('a\\b.js')] }, 'modules.0.name', /backslashes/],
    ['a NUL', { modules: [module('a\u0000.js')] }, 'modules.0.name', /control characters/],
    ['a quote, which ends a name in multipart', { modules: [module('a".js')] }, 'modules.0.name', /quotes/],
    ['a URL', { modules: [module('node:fs.js')] }, 'modules.0.name', /not a URL/],
    ['a name twice', { modules: [module('a.js'), module('a.js')] }, 'modules.1.name', /another module/],
    ['a name that tells no type', { modules: [module('a.rs')] }, 'modules.0.name', /send its type/],
    ['a main module that is not sent', { modules: [module('a.js')], mainModule: 'b.js' }, 'mainModule', /none of the modules/],
    ['a main module that is no ES module', { modules: [module('a.txt')] }, 'modules.0.content', /must be an ES module/],
    ['an asset upwards', { assets: [{ path: '/../a', content: '' }] }, 'assets.0.path', /must begin with/],
    ['an asset without root', { assets: [{ path: 'a/b', content: '' }] }, 'assets.0.path', /must begin with/],
    ['an asset twice', { assets: ['/a', '/a'].map((path) => ({ path, content: '' })) }, 'assets.1.path', /another file/],
    ['an asset that is not base64', { assets: [{ path: '/a', content: '?' }] }, 'assets.0.content', /is not base64/],
    ['a date in the future', { script: base64(WORKER), compatibility_date: '2026-11-22' }, 'compatibility_date', /in the future/],
    ['a flag that loosens walls', { script: base64(WORKER), compatibility_flags: ['experimental'] }, 'compatibility_flags.0', /may not be set/],
    ['a variable that is no name', { script: base64(WORKER), vars: { 'a-b': 1 } }, 'vars.a-b', /must be a name/],
    ['a variable of a reserved name', { script: base64(WORKER), vars: { constructor: 1 } }, 'vars.constructor', /reserved/],
    ['two bindings of a name', { script: base64(WORKER), vars: { DB: 1 }, bindings: [{ type: 'db', name: 'DB' }] }, 'bindings.0.name', /taken already/],
  ])('is refused with its field: %s', async (_what, input, path, message) => {
    await expect(read(input)).rejects.toMatchObject({ code: 'INVALID', message: expect.stringMatching(message) as string, details: [{ path }] })
  })

  it('is refused unread when it is too large', async () => {
    await expect(read({ script: 'a'.repeat(28_000_000) })).rejects.toMatchObject({
      code: 'TOO_LARGE',
      message: 'script is 20.0 MiB, all modules together; the limit is 16.0 MiB',
    })
  })

  it('is refused when it stays large gzipped', async () => {
    const noise = Buffer.alloc(11_000_000)
    for (let at = 0; at < noise.length; at += 65_536) crypto.getRandomValues(noise.subarray(at, at + 65_536))

    await expect(read({ modules: [module('a.js'), { name: 'b.bin', content: base64(noise) }] })).rejects.toMatchObject({ code: 'TOO_LARGE' })
  })

  it('is one and the same in whatever order it was sent', async () => {
    const [a, b] = [module('a.js', `import './b.js'\n${WORKER}`), module('b.js', '')]
    const bindings = [
      { type: 'db' as const, name: 'DB' },
      { type: 'kv' as const, name: 'KV' },
    ]

    const one = await read({ modules: [a, b], mainModule: 'a.js', bindings, vars: { A: 1, B: 2 } })
    const other = await read({ modules: [b, a], mainModule: 'a.js', bindings: bindings.toReversed(), vars: { B: 2, A: 1 } })

    expect(other.sha256).toBe(one.sha256)
  })

  it.each<[what: string, change: Partial<Input<'deploy'>>]>([
    ['its code', { script: base64(`${WORKER}\n`) }],
    ['a variable', { vars: { A: 2 } }],
    ['a binding', { bindings: [{ type: 'kv', name: 'KV' }] }],
    ['a file', { assets: [{ path: '/a', content: '' }] }],
    ['the date', { compatibility_date: '2026-01-01' }],
    ['a flag', { compatibility_flags: ['nodejs_compat'] }],
    ['who may call it', { access: 'tenant' }],
  ])('is another with another %s', async (_what, change) => {
    const base = { script: base64(WORKER), vars: { A: 1 } }

    expect((await read({ ...base, ...change })).sha256).not.toBe((await read(base)).sha256)
  })

  it('may have line breaks in its base64, and a byte order mark', async () => {
    const lines = base64(`\uFEFF${WORKER}`).replaceAll(/.{20}/g, '$&\r\n')

    const { modules } = await read({ script: lines })

    expect(Buffer.from(modules[0]?.bytes ?? '').toString()).toBe(`\uFEFF${WORKER}`)
  })

  it('may be static files alone', async () => {
    expect(await read({ assets: [{ path: '/index.html', content: base64('hi') }] })).toMatchObject({
      mainModule: null,
      modules: [],
      assets: [{ sizeBytes: 2 }],
    })
  })
})
