import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { relay } from '../../src/database/relay.ts'
import { acceptWebSocket } from '../../src/database/websocket.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

async function listening(server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => void sockets.add(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => server.close(resolve))
  })
  return (server.address() as AddressInfo).port // it listens on a port
}

/** A server that does this with the stream of each WebSocket. */
function serving(use: (stream: ReturnType<typeof acceptWebSocket>) => void): Promise<number> {
  const server = createHttpServer()
  server.on('upgrade', (request, socket, head) => use(acceptWebSocket(request, socket, head)))
  return listening(server)
}

const echo = (): Promise<number> => serving((stream) => void stream.on('error', () => undefined).pipe(stream))

/** A client of the platform's own, which knows the protocol. */
async function opened(port: number): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/v2`)
  socket.binaryType = 'arraybuffer'
  await new Promise((resolve, reject) => {
    socket.onopen = resolve
    socket.onerror = reject
  })
  closers.push(() => socket.close())
  return socket
}

function received(socket: WebSocket, sizeBytes: number): Promise<Buffer> {
  const parts: Buffer[] = []
  let size = 0
  return new Promise((resolve) => {
    socket.onmessage = ({ data }: { data: ArrayBuffer }) => {
      parts.push(Buffer.from(data))
      size += data.byteLength
      if (size >= sizeBytes) resolve(Buffer.concat(parts))
    }
  })
}

const closed = (socket: WebSocket): Promise<CloseEvent> => new Promise((resolve) => (socket.onclose = resolve))

describe('a WebSocket as a stream of bytes', () => {
  it.each([1, 125, 126, 65_535, 65_536, 3_000_000])('carries %i bytes there and back', async (size) => {
    const socket = await opened(await echo())
    const bytes = randomBytes(size)
    const echoed = received(socket, size)

    socket.send(bytes)

    expect((await echoed).equals(bytes)).toBe(true)
  })

  it('keeps messages in order, however many', async () => {
    const socket = await opened(await echo())
    const parts = Array.from({ length: 500 }, (_, index) => Buffer.from(`${index},`))
    const echoed = received(socket, Buffer.concat(parts).length)

    for (const part of parts) socket.send(part)

    expect((await echoed).toString()).toBe(Buffer.concat(parts).toString())
  })

  it('ends when the client ends it', async () => {
    const ended = Promise.withResolvers<void>()
    const socket = await opened(await serving((stream) => void stream.resume().once('close', ended.resolve)))

    socket.close()

    await expect(ended.promise).resolves.not.toThrow()
  })

  it('says goodbye when the server ends it', async () => {
    const socket = await opened(await serving((stream) => void stream.end('last words')))
    const [words, goodbye] = [received(socket, 10), closed(socket)]

    expect((await words).toString()).toBe('last words')
    expect((await goodbye).code).toBe(1000)
  })
})

describe('a client that does not keep to RFC 6455', () => {
  const MASK = Buffer.from([1, 2, 3, 4])

  /** What a client hears that sends these bytes after its handshake, until the server ends it. */
  async function raw(bytes: Buffer, port?: number): Promise<Buffer> {
    const socket = connect(port ?? (await echo()), '127.0.0.1')
    closers.push(() => socket.destroy())
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => void chunks.push(chunk))
    socket.write(`GET /v2 HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`)
    for (const byte of bytes) socket.write(Buffer.from([byte]))
    await once(socket, 'end')
    return Buffer.concat(chunks)
  }

  it.each([
    ['a frame that is not masked', Buffer.from([0x82, 1, 65]), 1002],
    ['a reserved bit', Buffer.concat([Buffer.from([0xc2, 0x81]), MASK, Buffer.from([65])]), 1002],
    ['a text', Buffer.concat([Buffer.from([0x81, 0x81]), MASK, Buffer.from([65])]), 1003],
    ['an opcode that there is not', Buffer.concat([Buffer.from([0x83, 0x81]), MASK, Buffer.from([65])]), 1003],
    ['a frame that is too long', Buffer.concat([Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0x7f, 0, 0, 0]), MASK]), 1009],
    ['a close', Buffer.concat([Buffer.from([0x88, 0x80]), MASK]), 1000],
  ])('is sent away for %s', async (_what, bytes, reason) => {
    const answer = await raw(bytes)

    expect(answer.subarray(-4)).toEqual(Buffer.from([0x88, 2, reason >> 8, reason & 255]))
  })

  it('is greeted as the RFC says, and answered a ping', async () => {
    const ping = Buffer.concat([Buffer.from([0x89, 0x81]), MASK, Buffer.from([65 ^ 1])])

    const answer = await raw(Buffer.concat([ping, Buffer.from([0x88, 0x80]), MASK]))

    expect(answer.toString('latin1')).toContain('Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
    expect(answer.subarray(-7)).toEqual(Buffer.from([0x8a, 1, 65, 0x88, 2, 0x03, 0xe8]))
  })

  it('may cut a message into frames, and frames into packets', async () => {
    const heard: Buffer[] = []
    const port = await serving((stream) => void stream.on('data', (chunk: Buffer) => heard.push(chunk)))
    const first = Buffer.concat([Buffer.from([0x02, 0x81]), MASK, Buffer.from([65 ^ 1])])
    const rest = Buffer.concat([Buffer.from([0x80, 0x81]), MASK, Buffer.from([66 ^ 1])])

    await raw(Buffer.concat([first, rest, Buffer.from([0x88, 0x80]), MASK]), port)

    expect(Buffer.concat(heard).toString()).toBe('AB')
  })
})

describe('a relay', () => {
  const relaying = (upstream: Parameters<typeof relay>[1]): Promise<number> => serving((stream) => void relay(stream, upstream))

  it('passes bytes to the server and back', async () => {
    const port = await listening(createServer((socket) => void socket.pipe(socket)))
    const socket = await opened(await relaying({ host: '127.0.0.1', port, isTls: false }))
    const bytes = randomBytes(1_000_000)
    const echoed = received(socket, bytes.length)

    socket.send(bytes)

    expect((await echoed).equals(bytes)).toBe(true)
  })

  it('ends the connection to the server when the client goes', async () => {
    const ended = Promise.withResolvers<void>()
    const port = await listening(createServer((socket) => void socket.resume().once('close', () => ended.resolve())))
    const socket = await opened(await relaying({ host: '127.0.0.1', port, isTls: false }))
    socket.send(Buffer.from('x'))

    socket.close()

    await expect(ended.promise).resolves.not.toThrow()
  })

  it.each([
    ['goes away', (socket: Socket) => socket.once('data', () => socket.destroy()), false],
    ['offers no TLS', (socket: Socket) => socket.once('data', () => socket.write('N')), true],
  ])('ends the client’s connection when the server %s', async (_what, treat, isTls) => {
    const port = await listening(createServer((socket) => void treat(socket)))
    const socket = await opened(await relaying({ host: '127.0.0.1', port, isTls }))
    const goodbye = closed(socket)

    socket.send(Buffer.from('x'))

    await expect(goodbye).resolves.not.toThrow()
  })

  it('ends the client’s connection when there is no server', async () => {
    const server = createServer()
    const port = await listening(server)
    server.close()
    await once(server, 'close')

    const socket = await opened(await relaying({ host: '127.0.0.1', port, isTls: false }))

    await expect(closed(socket)).resolves.toHaveProperty('code')
  })
})
