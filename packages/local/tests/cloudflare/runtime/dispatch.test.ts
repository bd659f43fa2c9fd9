import { beforeAll, expect, it, vi } from 'vitest'
import { scene, worker, type Scene } from './runtime-under-test.ts'

const STREAM = `const chunks = []; const { body } = await env.NS.get('stream').fetch('http://stream/'); for await (const chunk of body) chunks.push(new TextDecoder().decode(chunk)); return chunks`
const MODULES = {
  'main.js': {
    type: 'esm' as const,
    content: `import text from './a.txt'; import data from './b.bin'; import json from './c.json'; import add from './add.wasm'; import common from './d.cjs'; import { x } from './lib/e.js'
      export default { fetch: async () => Response.json({ text, data: new Uint8Array(data).length, json, wasm: (await WebAssembly.instantiate(add)).exports.add(2, 3), common: common.y, x }) }`,
  },
  'a.txt': { type: 'text' as const, content: 'words' },
  'b.bin': { type: 'data' as const, content: new Uint8Array(5) },
  'c.json': { type: 'json' as const, content: '{"a":1}' },
  'd.cjs': { type: 'cjs' as const, content: 'module.exports = { y: 2 }' },
  'lib/e.js': { type: 'esm' as const, content: 'export const x = 1' },
  'add.wasm': {
    type: 'wasm' as const,
    content: Buffer.from('0061736d0100000001070160027f7f017f03020100070701036164640000' + '0a09010700200020016a0b', 'hex'),
  },
}

let platform: Scene
beforeAll(async () => {
  platform = await scene({
    bodies: [STREAM],
    workers: [
      worker(
        'database',
        `import { WorkerEntrypoint } from 'cloudflare:workers'
         export class Tenant extends WorkerEntrypoint {
           query(text) { return { text, props: this.ctx.props } }
           each(values, callback) { return Promise.all(values.map((value) => callback(value))) }
           fetch(request) { return new Response('database for ' + this.ctx.props.tenant) }
         }
         export default { fetch: () => new Response('default') }`,
      ),
    ],
  })
  return platform.stop
})

it('runs a published script for a request, with its arguments and without `request.cf`', async () => {
  await platform.publish(
    'hello',
    `export default { fetch: (request, env, ctx) => Response.json({ path: new URL(request.url).pathname, method: request.method, header: request.headers.get('x-own'), args: ctx.props, cf: typeof request.cf }) }`,
  )

  const response = await platform.get('/hello/a/b', { method: 'PUT', headers: { 'x-own': 'yes' }, body: 'x' })

  expect(await response.json()).toEqual({ path: '/a/b', method: 'PUT', header: 'yes', args: { plan: 'free' }, cf: 'undefined' })
})

it('loads modules of every type', async () => {
  await platform.publish('modules', { code: MODULES })

  const response = await platform.get('/modules')

  expect(await response.json()).toEqual({ text: 'words', data: 5, json: { a: 1 }, wasm: 5, common: 2, x: 1 })
})

it('gives a script its bindings', async () => {
  await platform.publish('bound', {
    code: `export default { async fetch(request, env) {
      const tenant = env.DB
      return Response.json({
        text: env.TEXT, secret: env.SECRET, json: env.JSON, version: typeof env.VERSION.id,
        fetched: await (await tenant.fetch('http://database/')).text(), queried: await tenant.query('select 1'), each: await tenant.each([1, 2], (value) => value + 1),
        other: await (await env.OTHER.fetch('http://database/')).text(),
      })
    } }`,
    bindings: [
      { type: 'plain_text', name: 'TEXT', text: 'text' },
      { type: 'secret_text', name: 'SECRET', text: 'hidden' },
      { type: 'json', name: 'JSON', json: [1] },
      { type: 'version_metadata', name: 'VERSION' },
      { type: 'service', name: 'DB', service: 'database', entrypoint: 'Tenant', props: { tenant: 'acme' } },
      { type: 'service', name: 'OTHER', service: 'database' },
    ],
  })

  const response = await platform.get('/bound')

  expect(await response.json()).toEqual({
    text: 'text',
    secret: 'hidden',
    json: [1],
    version: 'string',
    fetched: 'database for acme',
    queried: { text: 'select 1', props: { tenant: 'acme' } },
    each: [2, 3],
    other: 'default',
  })
})

it('names the binding that does not run here', async () => {
  await platform.publish('objects', { code: 'export default {}', bindings: [{ type: 'durable_object_namespace', name: 'ROOMS', class_name: 'Room' }] })

  const response = await platform.get('/objects')

  expect(await response.json()).toMatchObject({
    message: 'The binding ROOMS of the script objects is of type durable_object_namespace, which does not run here.',
  })
})

it('says that there is no such script', async () => {
  const response = await platform.get('/absent')

  expect([response.status, await response.json()]).toEqual([503, { name: 'Error', message: 'Worker not found.' }])
})

it('passes on what a script throws', async () => {
  await platform.publish('throws', `export default { fetch() { throw new TypeError('not like that') } }`)

  const response = await platform.get('/throws')

  expect(await response.json()).toEqual({ name: 'TypeError', message: 'not like that' })
})

it('passes on what a script throws when it is loaded, and what does not parse', async () => {
  await platform.publish('broken', `throw new Error('at the top'); export default {}`)
  await platform.publish('garbled', `export default {`)

  const [broken, garbled] = await Promise.all([platform.get('/broken'), platform.get('/garbled')])

  expect(await broken.json()).toMatchObject({ message: expect.stringContaining('at the top') })
  expect(await garbled.json()).toMatchObject({ message: expect.stringContaining('SyntaxError') })
})

it('runs the new code from the moment a write is answered', async () => {
  const answers: string[] = []
  for (const version of ['1', '2', '3']) {
    await platform.publish('redeployed', `export default { fetch: () => new Response('${version}') }`)
    answers.push(await (await platform.get('/redeployed')).text())
  }
  await platform.store.deleteScript('tenants', 'redeployed')
  const deleted = await platform.get('/redeployed')

  expect(answers).toEqual(['1', '2', '3'])
  expect(await deleted.json()).toMatchObject({ message: 'Worker not found.' })
})

it('lets a request that is under way finish on the old code', async () => {
  const code = (version: string) => `export default { async fetch(request) {
      if (request.url.endsWith('/wait')) await scheduler.wait(400)
      return new Response('${version}')
    } }`
  await platform.publish('slow', code('old'))

  const waiting = platform.get('/slow/wait')
  await vi.waitFor(async () => {
    const entered = (await platform.runtime.placements()).flatMap(({ scripts }) => scripts)
    expect(entered).toContain('tenants/slow')
  })
  await platform.publish('slow', code('new'))

  expect(await (await platform.get('/slow')).text()).toBe('new')
  expect(await (await waiting).text()).toBe('old')
})

it('passes 10 MB through in both directions', async () => {
  await platform.publish(
    'echo',
    `export default { fetch: (request) => new Response(request.body, { headers: { length: request.headers.get('content-length') } }) }`,
  )
  const sent = Buffer.alloc(10_000_000, 'abcdefghij')

  const response = await platform.get('/echo', { method: 'POST', body: sent })

  expect(response.headers.get('length')).toBe('10000000')
  expect(Buffer.from(await response.arrayBuffer()).equals(sent)).toBe(true)
})

it('passes on what a script has sent before it has sent all', async () => {
  await platform.publish(
    'stream',
    `export default { fetch() {
       const { readable, writable } = new TransformStream()
       const writer = writable.getWriter(), encoder = new TextEncoder()
       const send = async () => { await writer.write(encoder.encode('first')); await scheduler.wait(300); await writer.write(encoder.encode('second')); await writer.close() }
       send()
       return new Response(readable)
     } }`,
  )

  expect(await platform.run(STREAM)).toEqual(['first', 'second'])
})

it('connects WebSockets', async () => {
  await platform.publish(
    'socket',
    `export default { fetch() {
       const [client, server] = Object.values(new WebSocketPair())
       server.accept()
       server.addEventListener('message', ({ data }) => server.send('echo ' + data))
       return new Response(null, { status: 101, webSocket: client })
     } }`,
  )
  const { webSocket } = await platform.get('/socket', { headers: { upgrade: 'websocket' } })
  const received: unknown[] = []
  webSocket?.accept()
  webSocket?.addEventListener('message', ({ data }) => received.push(data))

  webSocket?.send('one')

  await vi.waitFor(() => expect(received).toEqual(['echo one']))
  webSocket?.close()
})

it('calls a script when its time has come', async () => {
  await platform.publish(
    'timed',
    `let seen = null
     export default { scheduled(controller) { seen = [controller.cron, controller.scheduledTime]; if (controller.cron === 'bad') throw new Error('not today') }, fetch: () => Response.json(seen) }`,
  )

  await platform.runtime.scheduled('tenants', 'timed', { cron: '* * * * *', scheduledTime: 1_700_000_000_000 })

  expect(await (await platform.get('/timed')).json()).toEqual(['* * * * *', 1_700_000_000_000])
  await expect(platform.runtime.scheduled('tenants', 'timed', { cron: 'bad', scheduledTime: 0 })).rejects.toThrow('exception')
  await expect(platform.runtime.scheduled('tenants', 'absent', { cron: '* * * * *', scheduledTime: 0 })).rejects.toThrow('Worker not found.')
})
