import { Client, type Submittable } from '@neondatabase/serverless'
import { onlyReads, touchesSession } from '@dot-do/worker-data/engines/guard'
import type { Rows, Statement, TextRows } from '../database.ts'
import type { Address } from './address.ts'
import { Exchange } from './exchange.ts'
import { CONNECT_LIMIT_MS, demandCarriable, TIMEOUT_MS, within } from './limits.ts'
import { DriverSocket, type OpenLine } from './line.ts'
import { parseRows } from './values.ts'

/** One connection to PostgreSQL, logged in as one role, for one user at a time. */
export class Session {
  readonly #client: Client
  readonly #socket: DriverSocket
  #isOpen = true
  #wasIdle = false

  constructor(client: Client, socket: DriverSocket) {
    this.#client = client
    this.#socket = socket
    // What ends it is also the error of whatever runs; without a listener it would be thrown.
    client.on('error', (error) => {
      this.#isOpen = false
      this.#note(error)
    })
    client.on('end', () => (this.#isOpen = false))
  }

  /** Connects and logs in, in five seconds. */
  static async open(address: Address, open: OpenLine): Promise<Session> {
    const { host, port, user, password, database } = address
    const socket = new DriverSocket()
    const client = new Client({ host, port, user, password, database, application_name: 'dot-do' })
    const session = new Session(client, socket)
    client.neonConfig.webSocketConstructor = constructorOf(socket)
    client.neonConfig.coalesceWrites = false
    // Only a server that asks for a password in clear text gets it so; PostgreSQL's own default is SCRAM, where it never travels.
    client.neonConfig.pipelineConnect = false
    const opening = new AbortController()
    const connect = async (): Promise<Session> => {
      socket.attach(await open(socket, opening.signal))
      await client.connect()
      return session
    }
    return within(CONNECT_LIMIT_MS, connect(), (reason) => {
      opening.abort(reason)
      session.close(reason)
    }).catch((error: unknown) => {
      session.close()
      throw error
    })
  }

  /** Whether it can be asked again. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Whether the server ended it because a transaction was left open in it. */
  get wasIdle(): boolean {
    return this.#wasIdle
  }

  /** Runs statements as one transaction. Only what the guard lets pass may come here: anything else could end the transaction it runs in. */
  async batch(statements: readonly Statement[], isReadOnly: boolean): Promise<Rows[]> {
    try {
      return await this.#batch(statements, isReadOnly)
    } finally {
      // A setting or a lock that stays with the session would meet the next user.
      if (touchesSession(statements)) this.close()
    }
  }

  /** Sends statements up to one Sync. Without a BEGIN among them they are a transaction; within one, the next part of it. */
  async ask(statements: readonly Statement[], limitMs = TIMEOUT_MS): Promise<Rows[]> {
    const results = (await this.give(new Exchange(statements), limitMs)).map(rowsOf)
    demandCarriable(results, this.#socket.received)
    return results
  }

  /** The same for an exchange of another form, whose results stay here. */
  async give<T>(exchange: Submittable & { readonly results: Promise<T> }, limitMs = TIMEOUT_MS): Promise<T> {
    this.#socket.expectAnswer()
    this.#client.query(exchange)
    const answered = exchange.results.catch((error: unknown) => {
      // The server says why, and then closes; nobody else may meet the connection in between.
      this.#note(error)
      throw error
    })
    return within(limitMs, answered, (reason) => this.close(reason))
  }

  close(reason?: Error): void {
    this.#isOpen = false
    this.#socket.end(reason)
  }

  #note(error: unknown): void {
    if (!(error instanceof Error && 'severity' in error && error.severity === 'FATAL')) return
    this.#wasIdle ||= 'code' in error && error.code === IDLE_IN_TRANSACTION
    this.close()
  }

  /** What only reads has nothing to take back, and is sent in one go. */
  async #batch(statements: readonly Statement[], isReadOnly: boolean): Promise<Rows[]> {
    if (!isReadOnly && onlyReads(statements)) return this.ask(statements)
    try {
      if (isReadOnly) return (await this.ask([plain('begin read only'), ...statements, COMMIT])).slice(1, -1)
      const results = (await this.ask([plain('begin'), ...statements])).slice(1)
      await this.ask([COMMIT])
      return results
    } catch (error) {
      if (this.#isOpen) await this.ask([plain('rollback')]).catch(() => this.close())
      throw error
    }
  }
}

/** PostgreSQL's idle_in_transaction_session_timeout. */
const IDLE_IN_TRANSACTION = '25P03'

const plain = (sql: string): Statement => ({ sql, params: [] })

const COMMIT = plain('commit')

/** The driver makes its socket by `new`, with a URL; this one is there already. */
function constructorOf(socket: DriverSocket): typeof WebSocket {
  return function (): DriverSocket {
    return socket
  } as unknown as typeof WebSocket // of a WebSocket the driver uses what DriverSocket has
}

function rowsOf({ command, rowCount, fields, rows }: TextRows): Rows {
  return { command, rowCount, fields, rows: parseRows(fields, rows) }
}
