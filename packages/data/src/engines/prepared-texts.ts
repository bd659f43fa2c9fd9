import { protocol } from '@electric-sql/pglite'
import type { Statement } from './engine.ts'
import { statementMessages } from './embedded-protocol.ts'
import { encodeValue } from './values.ts'

const { serialize } = protocol

/** Texts kept prepared, and texts remembered that were asked for once. */
const MAX_PREPARED = 256
const MAX_SEEN = 1_024

/** A longer text is seldom asked for again as it is. */
const MAX_TEXT = 8_192

/** Messages for a run, and what will be prepared once it has gone well. */
export interface PreparedRun {
  messages: Uint8Array[]
  fresh: Map<string, string>
}

/**
 * Keeps what services ask for again and again prepared: to parse and plan a small read takes several times as long as to run it. A text is prepared when a role asks for it
 * a second time; plans that a change of the tables makes wrong are made anew by PostgreSQL itself.
 */
export class PreparedTexts {
  /** Names by role and text, the least recently used first. */
  readonly #names = new Map<string, string>()
  readonly #seen = new Set<string>()
  #toClose: string[] = []
  #counter = 0

  run(role: string | null, statements: readonly Statement[]): PreparedRun {
    const fresh = new Map<string, string>()
    const messages: Uint8Array[] = this.#toClose.map((name) => serialize.close({ type: 'S', name }))
    this.#toClose = []
    for (const statement of statements) messages.push(...this.#messages(role, statement, fresh))
    return { messages, fresh }
  }

  /** Keeps what a run prepared, or lets go of it when the run failed: how much of it was prepared is then not known. */
  settle({ fresh }: PreparedRun, hasGoneWell: boolean): void {
    for (const [key, name] of fresh) {
      if (hasGoneWell) this.#names.set(key, name)
      else this.#toClose.push(name)
    }
    for (const [key, name] of this.#names) {
      if (this.#names.size <= MAX_PREPARED) return
      this.#names.delete(key)
      this.#toClose.push(name)
    }
  }

  /** Lets go of everything, for when the owner has changed what the texts are about. */
  clear(): void {
    this.#toClose.push(...this.#names.values())
    this.#names.clear()
    this.#seen.clear()
  }

  #messages(role: string | null, statement: Statement, fresh: Map<string, string>): Uint8Array[] {
    const { sql, params } = statement
    if (role === null || sql.length > MAX_TEXT) return statementMessages(statement)
    const key = `${role}\0${sql}`
    const known = this.#names.get(key) ?? fresh.get(key)
    if (known === undefined && !this.#isSeen(key)) return statementMessages(statement)
    const name = known ?? `text ${(this.#counter += 1)}`
    if (known === undefined) fresh.set(key, name)
    else if (this.#names.delete(key)) this.#names.set(key, name)
    const parse = known === undefined ? [serialize.parse({ name, text: sql })] : []
    return [...parse, serialize.bind({ statement: name, values: params.map(encodeValue) }), serialize.describe({ type: 'P' }), serialize.execute({})]
  }

  #isSeen(key: string): boolean {
    if (this.#seen.has(key)) return true
    if (this.#seen.size === MAX_SEEN) this.#seen.clear()
    this.#seen.add(key)
    return false
  }
}
