import { Readable } from 'node:stream'
import { Agent, request, WebSocket } from 'undici'
import { describe, expect, inject, it } from 'vitest'
import { publish, workerName } from './publisher.ts'

const { port } = inject('platform')

/** Whatever the name, it is this machine's; not every machine knows `*.localhost`. */
const thisMachine = new Agent({ connect: { lookup: (_host, _options, answer) => answer(null, [{ address: '127.0.0.1', family: 4 }]) } })

const STREAMS = `
export default { async fetch(request) {
  const { pathname } = new URL(request.url)
  if (pathname === '/socket') {
    const [client, server] = Object.values(new WebSocketPair())
    server.accept()
    server.addEventListener('message', ({ data }) => server.send('echo ' + data))
    return new Response(null, { status: 101, webSocket: client })
  }
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
