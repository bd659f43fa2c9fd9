import type { WireMessage } from '@dot-do/worker-data/engines/session'
import type { Readable } from 'node:stream'
import { malformed } from './request.ts'

/** A message may be as long as a body over HTTP. */
const MAX_MESSAGE_BYTES = 8 * 1024 * 1024

/** A startup packet holds a few names; PostgreSQL's own limit. */
const MAX_STARTUP_BYTES = 10_000

/** Reads a client's side of PostgreSQL's wire protocol from a stream of bytes. */
export class WireReader {
  readonly #chunks: AsyncIterator<Buffer>
  #held: Buffer = Buffer.alloc(0)

  constructor(stream: Readable) {
    this.#chunks = stream[Symbol.asyncIterator]()
  }

  /** The next packet of a connection's beginning, which has no type; undefined at the end of the stream. */
  async startup(): Promise<Buffer | undefined> {
    if (!(await this.#fill(4))) return undefined
    return this.#body(0, MAX_STARTUP_BYTES)
  }

  /** The next message; undefined at the end of the stream. */
  async message(): Promise<WireMessage | undefined> {
    if (!(await this.#fill(5))) return undefined
    const type = String.fromCharCode(this.#held[0] ?? 0)
    const body = await this.#body(1, MAX_MESSAGE_BYTES)
    return body && { type, body }
  }

  async #body(start: number, limit: number): Promise<Buffer | undefined> {
    const length = this.#held.readInt32BE(start)
    if (length < 4 || length > limit) throw malformed(`A message of ${length} bytes is not taken; the limit is ${limit}`)
    if (!(await this.#fill(start + length))) return undefined
    const body = this.#held.subarray(start + 4, start + length)
    this.#held = this.#held.subarray(start + length)
    return body
  }

  /** Waits until so many bytes are there. A long message comes in many pieces, which are joined once. */
  async #fill(bytes: number): Promise<boolean> {
    if (this.#held.length >= bytes) return true
    const pieces: Buffer[] = [this.#held]
    let size = this.#held.length
    while (size < bytes) {
      const { done, value } = await this.#chunks.next()
      if (done === true) return false
      pieces.push(value)
      size += value.length
    }
    this.#held = Buffer.concat(pieces)
    return true
  }
}
