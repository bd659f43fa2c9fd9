/// <reference lib="esnext.disposable" />
import { DurableObject, RpcTarget } from 'cloudflare:workers'
import { parseStatement, type Transaction } from '@dot-do/worker-contracts/db-live'
import { log, ServiceError, toServiceError } from '@dot-do/worker-utils'
import type { Rows, Statement } from './database.ts'
import { databaseError } from './database-error.ts'
import type { Env } from './env.ts'
import { addressOf, transportOf } from './transports/address.ts'
import { HeldConnection } from './transports/held.ts'
import type { LiveTransaction } from './transports/live.ts'
import { Session } from './transports/session.ts'
import { tcpLine } from './transports/tcp.ts'
import { webSocketLine } from './transports/websocket.ts'

/** Holds one connection of one PostgreSQL role: one made for each call would cost more than the call. Nothing of it is stored. */
export class Connections extends DurableObject<Env> {
  #held: HeldConnection | undefined

  /** Runs statements, which passed the guard, as one transaction of the role whose object this is. */
  async run(role: string, statements: Statement[], isReadOnly: boolean): Promise<Rows[]> {
    this.#held ??= new HeldConnection(() => openSession(role, this.env))
    return this.#held.run(statements, isReadOnly).catch((thrown: unknown) => {
      throw withoutCause(databaseError(thrown))
    })
  }
}

/** A live transaction as whoever began it holds it. When the last stub goes away, so does the transaction. */
export class TransactionStub extends RpcTarget implements Transaction, Disposable {
  readonly #live: LiveTransaction

  constructor(live: LiveTransaction) {
    super()
    this.#live = live
  }

  query(statement: Parameters<Transaction['query']>[0]): ReturnType<Transaction['query']> {
    return told(async () => this.#live.query(parseStatement(statement)))
  }

  commit(): Promise<void> {
    return told(() => this.#live.commit())
  }

  rollback(): Promise<void> {
    return told(() => this.#live.rollback())
  }

  [Symbol.dispose](): void {
    this.#live.drop()
  }
}

/** Opens a connection of a role, over TCP where that is the transport, else through a WebSocket. */
export async function openSession(role: string, env: Env): Promise<Session> {
  const isTcp = transportOf(env) === 'tcp'
  const address = await addressOf(role, env, isTcp)
  return Session.open(address, isTcp ? tcpLine(address) : webSocketLine(address, env))
}

/** An error that survives RPC: its cause is logged and stays. */
export function withoutCause(thrown: unknown): ServiceError {
  const error = toServiceError(thrown)
  const { code, message, details, cause } = error
  if (error.status >= 500) log('error', 'connection_failed', { code, message, cause })
  return cause === undefined ? error : new ServiceError(code, message, { details })
}

async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (thrown) {
    throw withoutCause(thrown)
  }
}
