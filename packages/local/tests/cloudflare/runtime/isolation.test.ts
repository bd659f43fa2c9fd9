import { lookup } from 'node:dns/promises'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hostname } from 'node:os'
import { beforeAll, expect, it, onTestFinished, vi } from 'vitest'
import { withOutboundParameters } from '../../../src/cloudflare/outbound.ts'
import { scene, worker, type Scene } from './runtime-under-test.ts'

const OUTBOUND = `
const handler = { async fetch(request, env) {
  if (request.url === 'http://redirect.example/') return Response.redirect(new URL(request.url).searchParams.get('to') ?? 'http://127.0.0.1:1/', 302)
  return Response.json({ url: request.url, method: request.method, body: await request.text(), customer: env.customer ?? null, own: env.OWN })
} }
export { handler as default }
`

const FETCHES = `export default { async fetch(request) {
  const urls = await request.json()
  const tried = []
  for (const url of urls) tried.push(await fetch(url).then((response) => response.status, (error) => error.message))
  return Response.json(tried)
} }`

let platform: Scene
let direct: Scene
beforeAll(async () => {
  platform = await scene({
    shards: 1,
    outbound: { worker: 'outbound', parameters: ['customer'] },
    workers: [
      worker('outbound', withOutboundParameters(OUTBOUND), { OWN: { type: 'text', value: 'own' } }),
      worker('methods', `import { WorkerEntrypoint } from 'cloudflare:workers'; export default class extends WorkerEntrypoint { twice(n) { return 2 * n } }`),
    ],
  })
  direct = await scene({ shards: 1 })
  return async () => {
    await Promise.all([platform.stop(), direct.stop()])
  }
})

async function tried(where: Scene, urls: string[], headers: Record<string, string> = {}): Promise<unknown> {
  await where.publish('fetches', FETCHES)
  const response = await where.get('/fetches', { method: 'POST', body: JSON.stringify(urls), headers })
  return response.json()
}

it('sends requests through the outbound Worker, which learns its parameters', async () => {
  await platform.publish('sends', `export default { fetch: () => fetch('http://api.example/path?a=1', { method: 'POST', body: 'sent' }) }`)

  const answers = await Promise.all(
    ['one', 'two'].map(async (customer) => (await platform.get('/sends', { headers: { 'x-outbound': JSON.stringify({ customer }) } })).json()),
  )
  const without = await (await platform.get('/sends')).json()

  const expected = { url: 'http://api.example/path?a=1', method: 'POST', body: 'sent', own: 'own' }
  expect(answers).toEqual([
    { ...expected, customer: 'one' },
    { ...expected, customer: 'two' },
  ])
  expect(without).toEqual({ ...expected, customer: null })
})

it('refuses outbound parameters that are not declared', async () => {
  await platform.publish('plain', 'export default { fetch: () => new Response() }')

  const response = await platform.get('/plain', { headers: { 'x-outbound': '{"tier":1}' } })

  expect(await response.json()).toMatchObject({ message: 'The outbound parameter tier is not declared by the binding.' })
})

it.each([
  'http://127.0.0.1/',
  'http://2130706433/',
  'http://0177.0.0.1/',
  'http://0x7f.1/',
  'http://0/',
  'http://10.1.2.3/',
  'http://172.16.0.1/',
  'http://192.168.1.1/',
  'http://100.64.0.1/',
  'http://169.254.169.254/latest/meta-data/',
  'http://[::1]/',
  'http://[::]/',
  'http://[fe80::1]/',
  'http://[fd00::1]/',
  'http://[::ffff:127.0.0.1]/',
  'http://[64:ff9b::7f00:1]/',
  'http://localhost/',
  'http://LOCALHOST./',
  'http://a.localhost/',
  'http://metadata.google.internal/',
  'http://printer.local/',
])('keeps published code from %s, with and without an outbound Worker', async (url) => {
  const refused = [expect.stringContaining('is not a public address')]

  expect(await tried(platform, [url])).toEqual(refused)
  expect(await tried(direct, [url])).toEqual(refused)
})

it('keeps published code from a redirect to a private address', async () => {
  expect(await tried(platform, ['http://redirect.example/'])).toEqual([expect.stringContaining('is not a public address')])
})

it('keeps published code from this machine by a name that leads there', async () => {
  const { address } = await lookup(hostname())
  const server = createServer((_, response) => response.end('inside'))
  await new Promise<void>((resolve) => server.listen(0, address, resolve))
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const url = `http://${hostname()}:${port}/`
  expect(await (await fetch(url)).text()).toBe('inside')

  expect(await tried(direct, [url])).toEqual([expect.stringMatching(/\D/)])
})

it('keeps published code from the ports of what runs it', async () => {
  const ports = (await listeningPorts()).concat(Number(direct.url.port), Number(direct.home.split(':')[1]))
  expect(ports.length).toBeGreaterThan(3)

  const answers = (await tried(
    direct,
    ports.flatMap((port) => [`http://127.0.0.1:${port}/ping`, `http://localhost:${port}/ping`]),
  )) as unknown[]

  expect(answers.filter((answer) => !String(answer).includes('is not a public address'))).toEqual([])
})

/** The ports this machine listens on at 127.0.0.1: those of the shards and of the Node side are among them. */
async function listeningPorts(): Promise<number[]> {
  const lines = (await readFile('/proc/net/tcp', 'utf8')).split('\n').slice(1)
  const listening = lines.map((line) => line.trim().split(/\s+/)).filter(([, local, , state]) => local?.startsWith('0100007F:') && state === '0A')
  return listening.slice(0, 20).map(([, local]) => Number.parseInt(local?.split(':')[1] ?? '', 16))
}

it('opens no TCP connection for published code', async () => {
  await direct.publish(
    'connects',
    `import { connect } from 'cloudflare:sockets'
     export default { async fetch(request) {
       try { const socket = connect(await request.text()); await socket.opened; return new Response('open') } catch (error) { return new Response('refused') }
     } }`,
  )

  for (const address of [direct.home, direct.url.host, '1.1.1.1:80']) {
    expect(await (await direct.get('/connects', { method: 'POST', body: address })).text()).toBe('refused')
  }
})

it('gives published code no cache', async () => {
  await direct.publish(
    'caches',
    `export default { async fetch() {
       const tried = async (use) => { try { await use(); return 'used' } catch { return 'refused' } }
       return Response.json([
         await tried(() => caches.default.put('http://a.example/', new Response('x', { headers: { 'cache-control': 'max-age=60' } }))),
         await tried(async () => (await caches.open('own')).put('http://a.example/', new Response('x', { headers: { 'cache-control': 'max-age=60' } }))),
       ])
     } }`,
  )

  expect(await (await direct.get('/caches')).json()).toEqual(['refused', 'refused'])
})

it('gives published code nothing of what hosts it', async () => {
  await direct.publish(
    'looks',
    `import { env } from 'cloudflare:workers'
     export default { fetch: (request, own, ctx) => Response.json([Object.keys(env), Object.keys(own), Object.keys(ctx.exports ?? {}), [...request.headers.keys()].filter((name) => /authorization|token/.test(name))]) }`,
  )

  expect(await (await direct.get('/looks')).json()).toEqual([[], [], ['default'], []])
})

it('lets a script make as many subrequests as its dispatch allows', async () => {
  const urls = Array<string>(4).fill('http://api.example/')

  expect(await tried(platform, urls, { 'x-limits': '{"subRequests":3}' })).toEqual([200, 200, 200, 'Too many subrequests.'])
  expect(await tried(platform, urls, { 'x-limits': '{"subRequests":4}' })).toEqual([200, 200, 200, 200])
})

it('counts calls of service bindings as subrequests', async () => {
  await platform.publish('calls', {
    code: `export default { async fetch(request, env) {
      const tried = []
      for (let n = 0; n < 3; n++) tried.push(await env.SERVICE.fetch('http://service/').then(() => 'sent', (error) => error.message), await env.METHODS.twice(n).catch((error) => error.message))
      return Response.json(tried)
    } }`,
    bindings: [
      { type: 'service', name: 'SERVICE', service: 'outbound' },
      { type: 'service', name: 'METHODS', service: 'methods' },
    ],
  })

  const response = await platform.get('/calls', { headers: { 'x-limits': '{"subRequests":4}' } })

  expect(await response.json()).toEqual(['sent', 0, 'sent', 2, 'Too many subrequests.', 'Too many subrequests.'])
})

it('keeps what scripts have in memory apart', async () => {
  const code = `globalThis.count = (globalThis.count ?? 0) + 1; let own = 0; export default { fetch: () => Response.json([globalThis.count, ++own]) }`
  await Promise.all(['left', 'right'].map((name) => platform.publish(name, code)))

  await vi.waitFor(async () => expect(await (await platform.get('/left')).json()).toEqual([1, expect.any(Number)]))

  expect(await (await platform.get('/right')).json()).toEqual([1, 1])
})
