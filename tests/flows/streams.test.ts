import { Readable } from 'node:stream'
import { gunzipSync } from 'node:zlib'
import { Agent, request, WebSocket } from 'undici'
import { describe, expect, inject, it } from 'vitest'
import { publish, workerName } from './publisher.ts'

const { port, adminKey } = inject('platform')

/** Whatever the name, it is this machine's; not every machine knows `*.localhost`. */
const thisMachine = new Agent({ connect: { lookup: (_host, _options, answer) => answer(null, [{ address: '127.0.0.1', family: 4 }]) } })

const STREAMS = `
let left = 0
let closed = ''
export default { async fetch(request) {
  const { pathname } = new URL(request.url)
  if (pathname === '/socket') {
    const [client, server] = Object.values(new WebSocketPair())
    server.binaryType = 'arraybuffer'
    server.accept()
    server.addEventListener('message', ({ data }) => server.send(typeof data === 'string' ? 'echo ' + data : data))
    server.addEventListener('close', ({ code, reason }) => { closed = code + ' ' + reason; server.close(code, reason) })
    return new Response(null, { status: 101, webSocket: client })
  }
  if (pathname === '/endless') {
    const tick = new TextEncoder().encode('tick')
    return new Response(new ReadableStream({ pull: (controller) => scheduler.wait(5).then(() => controller.enqueue(tick)), cancel: () => void left++ }))
  }
  if (pathname.startsWith('/packed')) {
    const body = new Response('text '.repeat(1000)).body
    const headers = { 'Content-Encoding': 'gzip', 'Content-Type': 'text/plain' }
    return pathname === '/packed/by-hand' ? new Response(body.pipeThrough(new CompressionStream('gzip')), { headers, encodeBody: 'manual' }) : new Response(body, { headers })
  }
  if (pathname === '/left') return new Response(String(left))
  if (pathname === '/closed') return new Response(closed)
  if (pathname === '/echo') return new Response(request.body)
  const { readable, writable } = new TransformStream()
  const writer = writable.getWriter()
  const encoder = new TextEncoder()
  const write = async () => { await writer.write(encoder.encode('first\\n')); await request.text(); await writer.write(encoder.encode('last\\n')); await writer.close() }
  write()
  return new Response(readable)
} }`

describe('a published worker’s streams', () => {
  it('are WebSockets', async () => {
    const name = workerName()
    await publish(name, STREAMS)

    const socket = new WebSocket(`ws://${name}.do.localhost:${port}/socket`, { dispatcher: thisMachine })
    const said = await new Promise((resolve, reject) => {
      socket.addEventListener('open', () => socket.send('hi'))
      socket.addEventListener('message', ({ data }) => resolve(data))
      socket.addEventListener('error', reject)
    })
    socket.close()

    expect(said).toBe('echo hi')
  })

  it('arrive as they are written, before all is sent', async () => {
    const name = workerName()
    await publish(name, STREAMS)
    let finish: () => void = () => {}
    async function* body() {
      yield 'begin'
      await new Promise<void>((resolve) => (finish = resolve))
    }

    const answer = await request(`http://127.0.0.1:${port}/`, {
      method: 'POST',
      headers: { host: `${name}.do.localhost:${port}` },
      body: Readable.from(body()),
    })
    const chunks = answer.body[Symbol.asyncIterator]()
    const first = String((await chunks.next()).value)
    finish()
    const last = String((await chunks.next()).value)

    expect([first, last]).toEqual(['first\n', 'last\n'])
  })

  it('carry ten megabytes there and back', async () => {
    const name = workerName()
    await publish(name, STREAMS)
    const sent = Buffer.alloc(10_000_000, 'x')

    const answer = await request(`http://127.0.0.1:${port}/echo`, { method: 'POST', headers: { host: `${name}.do.localhost:${port}` }, body: sent })

    expect(Buffer.from(await answer.body.arrayBuffer()).equals(sent)).toBe(true)
  })
})

describe('what passes through the gateway', () => {
  it.each([
    ['by hand', '/packed/by-hand', {}],
    ['by the runtime', '/packed', {}],
    ['by hand, for somebody with a key', '/packed/by-hand', { authorization: `Bearer ${adminKey}` }],
    ['by the runtime, for somebody with a key', '/packed', { authorization: `Bearer ${adminKey}` }],
  ])('arrives packed as it says, when it was packed %s', async (_how, path, headers) => {
    const name = workerName()
    await publish(name, STREAMS)

    const answer = await request(`http://127.0.0.1:${port}${path}`, { headers: { host: `${name}.do.localhost:${port}`, ...headers } })
    const body = Buffer.from(await answer.body.arrayBuffer())

    expect(answer.headers['content-encoding']).toBe('gzip')
    expect(gunzipSync(body).toString()).toBe('text '.repeat(1000))
  })

  it('is not kept on the way: a hundred megabytes go there and back through some tens', async () => {
    const name = workerName()
    await publish(name, STREAMS)
    const host = `${name}.do.localhost:${port}`
    const chunk = Buffer.alloc(65_536, 'x')
    const count = 1_600
    let [sent, received, mostOnTheWay] = [0, 0, 0]
    async function* body() {
      for (let index = 0; index < count; index++) {
        sent += chunk.length
        mostOnTheWay = Math.max(mostOnTheWay, sent - received)
        yield chunk
      }
    }

    const answer = await request(`http://127.0.0.1:${port}/echo`, { method: 'POST', headers: { host }, body: Readable.from(body()) })
    for await (const part of answer.body) received += (part as Buffer).length

    expect(received).toBe(count * chunk.length)
    expect(mostOnTheWay).toBeLessThan(60_000_000)
  })

  it('ends at its source when whoever asked goes away', async () => {
    const name = workerName()
    await publish(name, STREAMS)
    const headers = { host: `${name}.do.localhost:${port}` }

    const answer = await request(`http://127.0.0.1:${port}/endless`, { headers })
    await answer.body[Symbol.asyncIterator]().next()
    answer.body.destroy()

    await expect.poll(async () => (await request(`http://127.0.0.1:${port}/left`, { headers })).body.text(), { timeout: 15_000 }).toBe('1')
  })

  it('may be large frames of a WebSocket, text and binary, and its end reaches the other side', async () => {
    const name = workerName()
    await publish(name, STREAMS)
    const socket = new WebSocket(`ws://${name}.do.localhost:${port}/socket`, { dispatcher: thisMachine })
    socket.binaryType = 'arraybuffer'
    const next = () =>
      new Promise<unknown>((resolve, reject) => {
        socket.addEventListener('message', ({ data }) => resolve(data), { once: true })
        socket.addEventListener('error', reject, { once: true })
      })
    await new Promise((resolve) => socket.addEventListener('open', resolve, { once: true }))
    const text = 'x'.repeat(500_000)

    const echoed = (data: string | Uint8Array<ArrayBuffer>) => {
      const answer = next()
      socket.send(data)
      return answer
    }
    const textBack = await echoed(text)
    const binaryBack = await echoed(new Uint8Array(900_000).fill(7))
    const ended = new Promise<number>((resolve) => socket.addEventListener('close', ({ code }) => resolve(code), { once: true }))
    socket.close(4_001, 'enough')

    expect(textBack).toBe(`echo ${text}`)
    expect(Buffer.from(binaryBack as ArrayBuffer).equals(Buffer.alloc(900_000, 7))).toBe(true)
    expect(await ended).toBe(4_001)
    const headers = { host: `${name}.do.localhost:${port}` }
    await expect.poll(async () => (await request(`http://127.0.0.1:${port}/closed`, { headers })).body.text()).toBe('4001 enough')
  })
})
