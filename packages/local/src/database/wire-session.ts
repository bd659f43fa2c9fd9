import { DatabaseError, toDatabaseError } from '@dot-do/worker-data/engines/engine'
import type { EngineSession, SessionEngine, WireMessage } from '@dot-do/worker-data/engines/session'
import { errorResponse, message } from '@dot-do/worker-data/engines/wire'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import type { Passwords } from './passwords.ts'
import { malformed } from './request.ts'
import { WireReader } from './wire-reader.ts'
import { readStartup, settingsOf, welcome } from './wire-startup.ts'

/** How long a client may take to say who it is. */
const STARTUP_LIMIT_MS = 10_000

/** Sessions at a time; the next one is refused. */
const MAX_SESSIONS = 100

const LINGER_MS = 1_000

/** What a client may send before it lets the backend have it. */
const MAX_PENDING_BYTES = 16 * 1024 * 1024

/** Serves an engine in PostgreSQL's wire protocol, to whoever has a role's password. */
export class WireServer {
  readonly #engine: SessionEngine
  readonly #passwords: Passwords
  readonly #streams = new Set<Duplex>()
  /** Running sessions by what their clients would cancel them with. */
  readonly #keys = new Map<string, EngineSession>()

  #settings: Promise<Buffer> | undefined

  constructor(engine: SessionEngine, passwords: Passwords) {
    this.#engine = engine
    this.#passwords = passwords
  }

  /** Talks to one client until it or the server has had enough. Never fails. */
  async serve(stream: Duplex): Promise<void> {
    this.#streams.add(stream)
    stream.on('error', () => stream.destroy())
    const patience = setTimeout(() => stream.destroy(), STARTUP_LIMIT_MS)
    try {
      await this.#converse(stream, patience)
    } catch (error) {
      const { message: text, fields } = toDatabaseError(error)
      if (stream.writable) stream.write(errorResponse(text, { ...fields, severity: 'FATAL' }))
    } finally {
      clearTimeout(patience)
      stream.end()
      // The client is given time to read why, and to close.
      setTimeout(() => stream.destroy(), LINGER_MS).unref()
      this.#streams.delete(stream)
    }
  }

  /** Ends every session; what is open in them is rolled back. */
  close(): void {
    for (const stream of this.#streams) stream.destroy()
  }

  async #converse(stream: Duplex, patience: NodeJS.Timeout): Promise<void> {
    const reader = new WireReader(stream)
    const client = await readStartup(reader, stream, (key) => this.#keys.get(key)?.cancel())
    if (!client) return
    if (this.#streams.size > MAX_SESSIONS) throw new DatabaseError('sorry, too many clients already', { code: '53300', severity: 'FATAL' })
    this.#passwords.demand(client.role, client.password)
    clearTimeout(patience)
    const key = Buffer.alloc(8)
    key.writeInt32BE(randomInt(1, 2 ** 31))
    key.writeInt32BE(randomInt(2 ** 31), 4)
    const session = this.#engine.session(client.role, () => stream.end(IDLE))
    stream.once('close', () => void session.end())
    this.#keys.set(key.toString('hex'), session)
    try {
      stream.write(welcome(await this.#told(), client, key))
      await converse(reader, session, stream)
    } finally {
      this.#keys.delete(key.toString('hex'))
      await session.end()
    }
  }

  /** Asked for once: whoever comes while a transaction is open would have to wait for its end. */
  #told(): Promise<Buffer> {
    this.#settings ??= settingsOf(this.#engine)
    this.#settings.catch(() => (this.#settings = undefined))
    return this.#settings
  }
}

const IDLE = errorResponse('terminating connection due to idle-in-transaction timeout', { code: '25P03', severity: 'FATAL' })

/** Messages are gathered up to the one that asks for an answer. */
async function converse(reader: WireReader, session: EngineSession, stream: Duplex): Promise<void> {
  let pending: WireMessage[] = []
  let pendingBytes = 0
  let isSkipping = false
  for (;;) {
    const next = await reader.message()
    if (next === undefined || next.type === 'X') return
    // After a refusal everything up to the next Sync is passed over.
    if (isSkipping && next.type !== 'S') continue
    pendingBytes += next.body.length
    if (pendingBytes > MAX_PENDING_BYTES) throw malformed(`More than ${MAX_PENDING_BYTES} bytes without a Sync are not taken`)
    if (next.type === 'Q' && pending.length > 0) throw malformed('A simple query may not follow extended messages without a Sync')
    pending.push(next)
    if (!'QSH'.includes(next.type)) continue
    const { answer, isRefused }: Reply = isSkipping ? { answer: READY, isRefused: false } : await answerTo(session, pending)
    isSkipping = isRefused && next.type === 'H'
    pending = []
    pendingBytes = 0
    if (!stream.writable) return
    if (!stream.write(answer)) await Promise.race([once(stream, 'drain'), once(stream, 'close')])
  }
}

const READY = message('Z', Buffer.from('I'))

interface Reply {
  answer: Buffer
  isRefused: boolean
}

/** What kept the database from being asked is an error of this one query, unless it is the end of the session. */
async function answerTo(session: EngineSession, messages: readonly WireMessage[]): Promise<Reply> {
  try {
    return { answer: (await session.run(messages)).answer, isRefused: false }
  } catch (error) {
    const { message: text, fields } = toDatabaseError(error)
    if (fields.severity !== 'ERROR') throw error
    const refusal = errorResponse(text, fields)
    return { answer: messages.at(-1)?.type === 'H' ? refusal : Buffer.concat([refusal, READY]), isRefused: true }
  }
}
