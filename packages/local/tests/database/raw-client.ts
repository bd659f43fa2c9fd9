import { connect, type Socket } from 'node:net'
import { rolePassword } from '@dot-do/worker-data/role-password'
import { message } from '@dot-do/worker-data/engines/wire'
import { roleSecret } from './services.ts'

/** What a server said: a message's type, and its body as text that can be looked at. */
export interface Heard {
  type: string
  text: string
}

/** A client that says what it is told to, message by message. */
export class RawClient {
  readonly #socket: Socket
  #held: Buffer = Buffer.alloc(0)
  #isEnded = false
  #changed = Promise.withResolvers<void>()

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1')
    this.#socket.on('data', (chunk: Buffer) => {
      this.#held = Buffer.concat([this.#held, chunk])
      this.#tell()
    })
    this.#socket.on('error', () => undefined)
    this.#socket.on('close', () => {
      this.#isEnded = true
      this.#tell()
    })
  }

  /** Logs in as a role. */
  static async open(port: number, role: string): Promise<RawClient> {
    const client = new RawClient(port)
    client.write(startup({ user: role }))
    await client.until('R')
    client.send('p', await rolePassword(roleSecret, role))
    await client.until('Z')
    return client
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes)
  }

  send(type: string, ...parts: (Buffer | string)[]): void {
    this.write(message(type, ...parts))
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** Everything up to the first message of this type, or up to the end of the connection. */
  async until(type: string): Promise<Heard[]> {
    const heard: Heard[] = []
    for (;;) {
      const next = this.#take()
      if (next) heard.push(next)
      if (next?.type === type || (!next && this.#isEnded)) return heard
      if (!next) await this.#changed.promise
    }
  }

  /** The next bytes, whatever they are. */
  async bytes(count: number): Promise<Buffer> {
    while (this.#held.length < count && !this.#isEnded) await this.#changed.promise
    const taken = this.#held.subarray(0, count)
    this.#held = this.#held.subarray(count)
    return taken
  }

  #take(): Heard | undefined {
    if (this.#held.length < 5) return undefined
    const end = 1 + this.#held.readInt32BE(1)
    if (this.#held.length < end) return undefined
    const heard = { type: String.fromCharCode(this.#held[0] ?? 0), text: this.#held.toString('utf8', 5, end) }
    this.#held = this.#held.subarray(end)
    return heard
  }

  #tell(): void {
    const changed = this.#changed
    this.#changed = Promise.withResolvers()
    changed.resolve()
  }
}

/** A startup packet, or with a code of its own another one of a connection's beginning. */
export function startup(parameters: Record<string, string>, code = 196_608): Buffer {
  const body = Buffer.concat([
    int32(code),
    ...Object.entries(parameters).flatMap(([name, value]) => [Buffer.from(`${name}\0`), Buffer.from(`${value}\0`)]),
    Buffer.from([0]),
  ])
  return Buffer.concat([int32(body.length + 4), body])
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

/** The messages that prepare a text under a name. */
export const parse = (name: string, sql: string): Buffer => message('P', name, sql, Buffer.alloc(2))

/** The messages that run what is prepared under a name. */
export const run = (name: string): Buffer => Buffer.concat([message('B', '', name, Buffer.alloc(6)), message('E', '', Buffer.alloc(4))])

export const sync = message('S')
export const flush = message('H')
