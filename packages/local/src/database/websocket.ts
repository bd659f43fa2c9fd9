import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { Duplex } from 'node:stream'

/** The constant of RFC 6455, section 1.3. */
const MAGIC = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** A frame that comes in may be as long as a message of PostgreSQL's protocol and what is around it. */
const MAX_FRAME_BYTES = 16 * 1024 * 1024

/** Frames that go out are cut to this: workerd ends a connection over a frame that is too long, and to a stream of bytes frames mean nothing. */
const FRAME_BYTES = 256 * 1024

const [CONTINUATION, BINARY, CLOSE, PING, PONG] = [0, 2, 8, 9, 10]

/** Reasons for a close (RFC 6455, section 7.4.1). */
const [NORMAL, PROTOCOL, UNSUPPORTED, TOO_BIG] = [1000, 1002, 1003, 1009]

/** Answers a handshake (RFC 6455, section 4.2.2). What binary messages carry, in both directions, is then a stream of bytes. */
export function acceptWebSocket(request: IncomingMessage, socket: Duplex, head: Buffer): Duplex {
  const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}${MAGIC}`).digest('base64')
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${accept}`]
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  const stream = new WebSocketStream(socket)
  if (head.length > 0) socket.unshift(head)
  return stream
}

class WebSocketStream extends Duplex {
  readonly #socket: Duplex
  #held: Buffer = Buffer.alloc(0)

  constructor(socket: Duplex) {
    super({ allowHalfOpen: false })
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    socket.on('end', () => this.push(null))
    socket.on('error', (error) => this.destroy(error))
    socket.on('close', () => this.destroy())
  }

  override _read(): void {
    this.#socket.resume()
  }

  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    for (let at = 0; at < chunk.length; at += FRAME_BYTES) {
      const part = chunk.subarray(at, at + FRAME_BYTES)
      this.#socket.write(header(BINARY, part.length))
      if (this.#socket.write(part) || at + FRAME_BYTES < chunk.length) continue
      this.#socket.once('drain', callback)
      return
    }
    callback()
  }

  override _final(callback: () => void): void {
    this.#close(NORMAL)
    callback()
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#socket.destroy()
    callback(error)
  }

  #take(chunk: Buffer): void {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    for (let frame = takeFrame(this.#held); frame !== undefined; frame = takeFrame(this.#held)) {
      if (typeof frame === 'number') return this.#close(frame)
      this.#held = this.#held.subarray(frame.sizeBytes)
      if (frame.opcode === CLOSE) return this.#close(NORMAL)
      if (frame.opcode === PING) this.#socket.write(Buffer.concat([header(PONG, frame.payload.length), frame.payload]))
      if (frame.opcode <= BINARY && frame.payload.length > 0 && !this.push(frame.payload)) this.#socket.pause()
    }
  }

  #close(reason: number): void {
    if (!this.#socket.writable) return
    this.#socket.end(Buffer.concat([header(CLOSE, 2), Buffer.from([reason >> 8, reason & 255])]))
    this.push(null)
  }
}

/** A frame's beginning, as a server sends it: whole and not masked. */
function header(opcode: number, length: number): Buffer {
  if (length < 126) return Buffer.from([0x80 | opcode, length])
  if (length < 65_536) return Buffer.from([0x80 | opcode, 126, length >> 8, length & 255])
  const long = Buffer.alloc(10)
  long[0] = 0x80 | opcode
  long[1] = 127
  long.writeBigUInt64BE(BigInt(length), 2)
  return long
}

interface Frame {
  opcode: number
  payload: Buffer
  sizeBytes: number
}

/** The first frame, once all of it is there; the reason to close for one that may not be. A message in several frames is taken frame by frame. */
function takeFrame(bytes: Buffer): Frame | number | undefined {
  if (bytes.length < 2) return undefined
  const [first = 0, second = 0] = bytes
  const opcode = first & 15
  const short = second & 127
  const start = 6 + (short === 126 ? 2 : short === 127 ? 8 : 0)
  if ((second & 128) === 0 || (first & 0x70) !== 0) return PROTOCOL
  if (![CONTINUATION, BINARY, CLOSE, PING, PONG].includes(opcode)) return UNSUPPORTED
  if (bytes.length < start) return undefined
  const length = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short
  if (length > MAX_FRAME_BYTES) return TOO_BIG
  if (bytes.length < start + length) return undefined
  const payload = Buffer.from(bytes.subarray(start, start + length))
  for (let at = 0; at < length; at++) payload[at] = (payload[at] ?? 0) ^ (bytes[start - 4 + (at & 3)] ?? 0)
  return { opcode, payload, sizeBytes: start + length }
}
