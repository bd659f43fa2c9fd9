import { guard } from '@dot-do/worker-data/engines/guard'
import { ServiceError } from '@dot-do/worker-utils'
import type { Rows, Statement } from '../database.ts'
import { databaseError } from '../database-error.ts'
import { after, CONNECT_LIMIT_MS } from './limits.ts'
import type { Session } from './session.ts'

/** A transaction that nobody uses for so long is rolled back. */
const IDLE_LIMIT_MS = 10_000

/** The server keeps the same limit, for when whoever holds the connection is gone and nobody has told it. */
const SERVER_IDLE_LIMIT: Statement = { sql: `set local idle_in_transaction_session_timeout = '${IDLE_LIMIT_MS / 1000}s'`, params: [] }

/** How long a BEGIN may wait for others' transactions: the embedded engine refuses after five seconds by itself, and is given the time to say so. */
const BEGIN_LIMIT_MS = CONNECT_LIMIT_MS + 500

const UNUSED = 'was rolled back, since nobody used it'

/** A transaction that is open, on a connection of its own, under one role. */
export class LiveTransaction {
  readonly #session: Session
  readonly #role: string
  /** Why it has ended, or why it can only be rolled back. */
  #ended: string | undefined
  #failed: string | undefined
  #stayOpen: () => void = () => undefined
  #last: Promise<unknown> = Promise.resolve()

  constructor(session: Session, role: string) {
    this.#session = session
    this.#role = role
  }

  /** Begins one on a connection that nobody else uses. */
  static async begin(session: Session, role: string, isReadOnly: boolean): Promise<LiveTransaction> {
    try {
      await session.ask([{ sql: isReadOnly ? 'begin read only' : 'begin', params: [] }, SERVER_IDLE_LIMIT], BEGIN_LIMIT_MS)
    } catch (thrown) {
      session.close()
      throw databaseError(thrown)
    }
    const transaction = new LiveTransaction(session, role)
    transaction.#wait()
    return transaction
  }

  /** Runs one statement. Those that are asked for at the same time run one after another. */
  query(statement: Statement): Promise<Rows> {
    return this.#inTurn(async () => {
      if (this.#failed !== undefined) throw conflict(`${this.#failed}; the transaction can only be rolled back`)
      try {
        guard(this.#role, [statement])
        const [rows] = await this.#session.ask([statement])
        if (!rows) throw new Error('The database answered a statement with nothing')
        return rows
      } catch (thrown) {
        this.#failed = 'A statement failed'
        throw databaseError(thrown)
      }
    })
  }

  /** Fails, and commits nothing, when a statement has failed; what is left then is to roll back. */
  commit(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#failed !== undefined) throw conflict(`${this.#failed}; nothing is committed, and the transaction can only be rolled back`)
      try {
        await this.#session.ask([{ sql: 'commit', params: [] }])
      } catch (thrown) {
        throw databaseError(thrown)
      } finally {
        this.#end('is over')
      }
    })
  }

  rollback(): Promise<void> {
    return this.#inTurn(async () => {
      // If nothing comes of it, the connection ends, and with it the transaction.
      await this.#session.ask([{ sql: 'rollback', params: [] }]).catch(() => undefined)
      this.#end('is over')
    })
  }

  /** Lets go of it, whatever it is doing. What was not committed is rolled back. */
  drop(reason = 'was let go'): void {
    if (this.#ended === undefined) this.#end(reason)
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(async () => {
      this.#demandOpen()
      this.#stayOpen()
      try {
        return await work()
      } finally {
        this.#wait()
      }
    })
    this.#last = turn.catch(() => undefined)
    return turn
  }

  #demandOpen(): void {
    if (this.#ended === undefined && !this.#session.isOpen) this.#end(this.#session.wasIdle ? UNUSED : 'was rolled back, since its connection broke')
    if (this.#ended !== undefined) throw conflict(`The transaction ${this.#ended}`)
  }

  #wait(): void {
    if (this.#ended !== undefined) return
    this.#stayOpen = after(IDLE_LIMIT_MS, () => this.drop(UNUSED))
  }

  #end(reason: string): void {
    this.#ended = reason
    this.#stayOpen()
    this.#session.close()
  }
}

function conflict(message: string): ServiceError {
  return new ServiceError('CONFLICT', message)
}
