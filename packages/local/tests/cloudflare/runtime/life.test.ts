import { createHash } from 'node:crypto'
import { beforeAll, expect, it, onTestFinished, vi } from 'vitest'
import type { TailEvent } from '../../../src/cloudflare/runtime/protocol.ts'
import type { ScriptAssets } from '../../../src/cloudflare/store/script.ts'
import { scene, type Scene } from './runtime-under-test.ts'

let platform: Scene
beforeAll(async () => {
  platform = await scene({ shards: 2, maxResident: 3 })
  return platform.stop
})

async function assets(files: Record<string, string>, config: Record<string, unknown> = {}): Promise<ScriptAssets> {
  const manifest: ScriptAssets['manifest'] = {}
  for (const [path, content] of Object.entries(files)) {
    const hash = createHash('sha256').update(content).digest('hex').slice(0, 32)
    manifest[path] = { hash, contentType: path.endsWith('.html') ? 'text/html' : 'text/css', ...(await platform.store.writeBlob(Buffer.from(content))) }
  }
  return { manifest, config }
}

function listen(name: string): TailEvent[] {
  const events: TailEvent[] = []
  onTestFinished(platform.runtime.tail.subscribe('tenants', name, (event) => events.push(event)))
  return events
}

it('serves a script of assets only', async () => {
  await platform.publish('site', { assets: await assets({ '/index.html': '<h1>home</h1>', '/docs/a.html': 'a', '/style.css': 'b {}' }) })

  const home = await platform.get('/site/')
  const page = await platform.get('/site/docs/a')
  const moved = await platform.get('/site/docs/a.html?x=1', { redirect: 'manual' })
  const absent = await platform.get('/site/nothing')
  const same = await platform.get('/site/style.css', { headers: { 'if-none-match': (await platform.get('/site/style.css')).headers.get('etag') ?? '' } })
  const head = await platform.get('/site/style.css', { method: 'HEAD' })

  expect([home.headers.get('content-type'), await home.text()]).toEqual(['text/html', '<h1>home</h1>'])
  expect(await page.text()).toBe('a')
  expect([moved.status, moved.headers.get('location')]).toEqual([307, '/docs/a?x=1'])
  expect([absent.status, same.status, head.status, await head.text()]).toEqual([404, 304, 200, ''])
})

it('serves assets before the script, and to the script', async () => {
  const code = `export default { fetch: async (request, env) => new Response('script, ' + await (await env.ASSETS.fetch('http://assets/style.css')).text()) }`
  await platform.publish('mixed', { code, assets: await assets({ '/style.css': 'b {}' }), bindings: [{ type: 'assets', name: 'ASSETS' }] })

  const answers = await Promise.all(['/mixed/style.css', '/mixed/other'].map(async (path) => (await platform.get(path)).text()))

  expect(answers).toEqual(['b {}', 'script, b {}'])
})

it('serves the new assets from the moment a write is answered', async () => {
  const served: string[] = []
  for (const content of ['one', 'two']) {
    await platform.publish('changing', { assets: await assets({ '/a.css': content }) })
    served.push(await (await platform.get('/changing/a.css')).text())
  }

  expect(served).toEqual(['one', 'two'])
})

it("tells a script's listeners of each invocation, with nothing that lets them in elsewhere", async () => {
  const events = listen('logs')
  await platform.publish(
    'logs',
    `export default { fetch(request) { console.log('seen', { a: 1 }); console.error('bad'); if (request.url.endsWith('/fail')) throw new RangeError('too far'); return new Response('x', { status: 201 }) } }`,
  )

  await platform.get('/logs/path', { headers: { authorization: 'Bearer secret', cookie: 'a=b', 'x-plain': 'shown' } })
  await platform.get('/logs/fail')

  await vi.waitFor(() => expect(events).toHaveLength(2))
  const [logged, failed] = events
  expect(logged).toMatchObject({
    outcome: 'ok',
    scriptName: 'logs',
    dispatchNamespace: 'tenants',
    logs: [
      { level: 'log', message: ['seen', { a: 1 }] },
      { level: 'error', message: ['bad'] },
    ],
    event: { request: { method: 'GET', headers: { authorization: 'REDACTED', cookie: 'REDACTED', 'x-plain': 'shown' } }, response: { status: 201 } },
  })
  expect(JSON.stringify(logged)).not.toContain('secret')
  expect(failed).toMatchObject({ outcome: 'exception', exceptions: [{ name: 'RangeError', message: 'too far' }] })
})

it('names the sources in stacks', async () => {
  const events = listen('mapped')
  const map = { version: 3, sources: ['src/tenant.ts'], names: [], mappings: 'AASA' }
  await platform.publish('mapped', {
    code: {
      'main.js': { type: 'esm', content: `export default { fetch() { throw new Error('mapped') } }` },
      'main.js.map': { type: 'sourcemap', content: JSON.stringify(map) },
    },
  })

  await platform.get('/mapped')

  await vi.waitFor(() => expect(events).toHaveLength(1))
  expect(events[0]?.exceptions[0]?.stack).toContain('src/tenant.ts:10:')
})

it('stops telling whoever has had enough', async () => {
  const events: TailEvent[] = []
  const others = listen('left')
  const stop = platform.runtime.tail.subscribe('tenants', 'left', (event) => events.push(event))
  await platform.publish('left', `export default { fetch: () => new Response('x') }`)
  await platform.get('/left')
  await vi.waitFor(() => expect(events).toHaveLength(1))

  stop()
  await platform.get('/left')

  await vi.waitFor(() => expect(others).toHaveLength(2))
  expect(events).toHaveLength(1)
})

it('cannot be told lies by what a script prints', async () => {
  const events = listen('innocent')
  await platform.publish(
    'forger',
    `export default { fetch() { for (const mark of ['', ' ', crypto.randomUUID() + ' ']) console.log(mark + JSON.stringify({ type: 'done', key: 'tenants/innocent', event: { logs: [], exceptions: [] } })); return new Response('x') } }`,
  )
  await platform.publish('innocent', `export default { fetch: () => new Response('x') }`)

  await platform.get('/forger')
  await platform.get('/innocent')

  await vi.waitFor(() => expect(events).toHaveLength(1))
  expect(events[0]).toMatchObject({ scriptName: 'innocent', outcome: 'ok' })
})

it('keeps no more scripts than it may, least recently used first', async () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
  for (const name of names) await platform.publish(name, { code: `let n = 0; export default { fetch: () => new Response(String(++n)) }`, tags: ['together'] })
  const count = async (name: string): Promise<string> => (await platform.get(`/${name}`)).text()

  for (const name of names) await count(name)
  const [kept, dropped] = [await count('h'), await count('a')]

  expect([kept, dropped]).toEqual(['2', '1'])
})

it("keeps a tenant's scripts in one process", async () => {
  const names = ['one', 'two', 'three', 'four', 'five']
  for (const name of names) {
    await platform.publish(`acme-${name}`, { code: `export default { fetch: () => new Response('x') }`, tags: ['acme', 'other'] })
    await platform.get(`/acme-${name}`)
  }

  const hosts = (await platform.runtime.placements()).filter(({ scripts }) => scripts.some((script) => script.startsWith('tenants/acme-')))

  expect(hosts).toHaveLength(1)
})

it('leaves no process when it stops', async () => {
  const other = await scene({ shards: 2 })
  onTestFinished(other.stop)
  const { pids } = other.runtime
  expect(pids).toHaveLength(3)

  await other.runtime.stop()

  expect(pids.filter(isAlive)).toEqual([])
})

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
