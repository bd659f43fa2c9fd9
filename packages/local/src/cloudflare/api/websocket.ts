import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'

/** The constant of RFC 6455, section 1.3. */
const MAGIC = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** A listener sends little; who sends more in one frame is cut off. */
const FRAME_BYTES = 65_536

/** How much may wait for a slow listener; later messages are dropped. */
const WAITING_BYTES = 1_048_576

const TEXT = 1
const CLOSE = 8
const PING = 9
const PONG = 10

/** A WebSocket that only tells: what comes in is answered where it is a ping or a close, and else passed over. */
export interface TellingSocket {
  send(text: string): void
  /** Says goodbye with status 1000, after which wrangler does not come again. */
  close(): void
}

/** Answers a handshake (RFC 6455, section 4.2.2) and keeps the connection. `onEnd` is called once, however it ends. */
export function acceptWebSocket(request: IncomingMessage, socket: Duplex, { protocol, onEnd }: { protocol: string; onEnd: () => void }): TellingSocket {
  const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}${MAGIC}`).digest('base64')
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${accept}`,
    `Sec-WebSocket-Protocol: ${protocol}`,
  ]
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  const close = (): void => void (socket.writable && socket.end(frame(CLOSE, Buffer.from([0x03, 0xe8])), () => socket.destroy()))
  socket.on('data', frameReader({ ping: (payload) => socket.write(frame(PONG, payload)), end: close }))
  socket.on('error', () => socket.destroy())
  socket.once('close', onEnd)
  return { close, send: (text) => void (socket.writable && socket.writableLength < WAITING_BYTES && socket.write(frame(TEXT, Buffer.from(text)))) }
}

/** A whole frame, as a server sends it: not masked. */
function frame(opcode: number, payload: Buffer): Buffer {
  const size = payload.byteLength
  const head = size < 126 ? Buffer.from([0, size]) : size < 65_536 ? Buffer.from([0, 126, size >> 8, size & 255]) : Buffer.alloc(10)
  head[0] = 0x80 | opcode
  if (size >= 65_536) {
    head[1] = 127
    head.writeBigUInt64BE(BigInt(size), 2)
  }
  return Buffer.concat([head, payload])
}

/** Takes chunks as they come and calls for each frame. wrangler's first one is not masked, against the RFC, so that is let pass. */
function frameReader({ ping, end }: { ping: (payload: Buffer) => void; end: () => void }): (chunk: Buffer) => void {
  let held = Buffer.alloc(0)
  return (chunk) => {
    held = Buffer.concat([held, chunk])
    for (let next = takeFrame(held); next !== undefined; next = takeFrame(held)) {
      held = held.subarray(next.sizeBytes)
      if (next.opcode === PING) ping(next.payload)
      if (next.opcode === CLOSE || next.sizeBytes > FRAME_BYTES) return end()
    }
    if (held.byteLength > FRAME_BYTES) end()
  }
}

/** The first frame, once all of it is there. */
function takeFrame(bytes: Buffer): { opcode: number; payload: Buffer; sizeBytes: number } | undefined {
  if (bytes.byteLength < 2) return undefined
  const [first = 0, second = 0] = bytes
  const short = second & 127
  const extended = short === 126 ? 2 : short === 127 ? 8 : 0
  const masked = (second & 128) === 0 ? 0 : 4
  const start = 2 + extended + masked
  if (bytes.byteLength < start) return undefined
  const length = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short
  if (bytes.byteLength < start + length) return undefined
  const mask = bytes.subarray(start - masked, start)
  const payload = Buffer.from(bytes.subarray(start, start + length))
  if (masked > 0) payload.forEach((byte, index) => void (payload[index] = byte ^ (mask[index % 4] ?? 0)))
  return { opcode: first & 15, payload, sizeBytes: start + length }
}
