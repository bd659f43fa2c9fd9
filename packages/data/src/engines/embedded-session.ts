import { DatabaseError } from './engine.ts'
import type { EngineSession, SessionReply, WireMessage } from './session.ts'
import { SessionStatements } from './session-statements.ts'
import type { Turn } from './turns.ts'
import { tooLarge } from './values.ts'
import { statusOf, withoutFirstParse, withoutPreparation } from './wire.ts'

/** What a session needs of the engine it belongs to. */
export interface Backend {
  /** Asks for the backend; who is patient is never refused. */
  ask(isPatient?: boolean): Turn
  /** Keeps it between one run and the next. */
  keep(): void
  pass(): void
  become(role: string): Promise<void>
  /** Gives the backend messages and takes its answer; undefined for one that is longer than an answer may be. */
  exchange(bytes: Uint8Array): Promise<Buffer | undefined>
  rollback(): Promise<void>
  /** A transaction in which nothing happens for so long is rolled back: it keeps everybody else waiting. */
  idleMs: number
}

/** One client's conversation with the one backend, which is taken for each run of messages, and kept from one that leaves a transaction open to the one that ends it. */
export class EmbeddedSession implements EngineSession {
  readonly #backend: Backend
  readonly #role: string
  readonly #onIdle: () => void
  readonly #statements = new SessionStatements()
  #turn: Turn | undefined
  #isHolding = false
  #isEnded = false
  #idle: NodeJS.Timeout | undefined
  #running: Promise<unknown> = Promise.resolve()

  constructor(backend: Backend, role: string, onIdle: () => void) {
    this.#backend = backend
    this.#role = role
    this.#onIdle = onIdle
  }

  run(messages: readonly WireMessage[]): Promise<SessionReply> {
    const run = this.#run(messages)
    this.#running = run.catch(() => undefined)
    return run
  }

  cancel(): void {
    this.#turn?.leave(new DatabaseError('canceling statement due to user request', { code: '57014', severity: 'ERROR' }))
  }

  async end(): Promise<void> {
    if (this.#isEnded) return
    this.#isEnded = true
    clearTimeout(this.#idle)
    this.#turn?.leave(ended())
    await this.#running
    await this.#giveBack()
    await this.#forget()
  }

  async #run(messages: readonly WireMessage[]): Promise<SessionReply> {
    clearTimeout(this.#idle)
    const isNewTurn = !this.#isHolding
    if (isNewTurn) await this.#take()
    try {
      if (isNewTurn) await this.#backend.become(this.#role)
      const { bytes, isReparsed } = this.#statements.translate(messages, isNewTurn)
      const answer = await this.#backend.exchange(bytes)
      if (!answer) throw new DatabaseError(tooLarge().message, { code: '54000', severity: 'FATAL' })
      const heard = isReparsed ? withoutFirstParse(answer) : answer
      const status = this.#settle(messages, answer)
      return { answer: messages[0]?.type === 'Q' ? withoutPreparation(heard) : heard, status }
    } catch (error) {
      await this.#giveBack()
      throw error
    }
  }

  async #take(): Promise<void> {
    if (this.#isEnded) throw ended()
    this.#turn = this.#backend.ask()
    await this.#turn.taken.finally(() => (this.#turn = undefined))
    this.#isHolding = true
  }

  /** Lets the backend go once nothing is open. */
  #settle(messages: readonly WireMessage[], answer: Buffer): string | undefined {
    const status = messages.at(-1)?.type === 'H' ? undefined : statusOf(answer)
    if (status === 'I') {
      this.#isHolding = false
      this.#backend.pass()
    } else {
      this.#backend.keep()
      this.#idle = setTimeout(() => this.#expire(), this.#backend.idleMs)
    }
    return status
  }

  #expire(): void {
    this.#onIdle()
    void this.end()
  }

  async #giveBack(): Promise<void> {
    clearTimeout(this.#idle)
    if (!this.#isHolding) return
    await this.#backend.rollback()
    this.#isHolding = false
    this.#backend.pass()
  }

  async #forget(): Promise<void> {
    const closing = this.#statements.closing()
    if (!closing) return
    await this.#backend.ask(true).taken
    try {
      await this.#backend.exchange(closing)
    } finally {
      this.#backend.pass()
    }
  }
}

function ended(): DatabaseError {
  return new DatabaseError('The session has ended', { code: '08003', severity: 'FATAL' })
}
