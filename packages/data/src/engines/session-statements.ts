import { DatabaseError } from './engine.ts'
import { guardSession } from './guard.ts'
import type { WireMessage } from './session.ts'
import { quoteText } from './values.ts'
import { message, textAt } from './wire.ts'

/** Prepared statements that one session may have at a time. */
const MAX_STATEMENTS = 100

/** Two counts of zero and one of result formats: no parameters, and text for what comes back. */
const NOTHING_BOUND = Buffer.alloc(6)
const ALL_ROWS = Buffer.alloc(4)

/** What is to be sent to the backend for what the client sent. */
export interface Translation {
  bytes: Buffer
  /** Whether it begins with a Parse that the client did not send this time. */
  isReparsed: boolean
}

let sessions = 0

/**
 * The prepared statements of one session on a backend that all sessions share. Names are made the session's own. The unnamed statement, which other sessions replace
 * between one run and the next, is prepared again; without that a client would run what somebody else prepared.
 */
export class SessionStatements {
  readonly #prefix = `${(sessions += 1)}:`
  readonly #names = new Set<string>()
  #unnamed: Buffer | undefined

  /** Turns a client's messages into those for the backend. What the guard refuses becomes an error that the backend itself raises, so that its state is right afterwards. */
  translate(messages: readonly WireMessage[], isNewTurn: boolean): Translation {
    const isReparsed = isNewTurn && this.#beginsWithUnnamed(messages)
    const parts = isReparsed && this.#unnamed ? [message('P', this.#unnamed)] : []
    try {
      for (const one of messages) parts.push(...this.#own(one))
    } catch (refusal) {
      if (!(refusal instanceof DatabaseError)) throw refusal
      parts.push(...raised(refusal), message(messages.at(-1)?.type === 'H' ? 'H' : 'S'))
    }
    return { bytes: Buffer.concat(parts), isReparsed }
  }

  /** Messages that let go of what is prepared; undefined when nothing is. */
  closing(): Buffer | undefined {
    if (this.#names.size === 0) return undefined
    return Buffer.concat([...[...this.#names].map((name) => message('C', Buffer.from('S'), this.#prefix + name)), message('S')])
  }

  #own({ type, body }: WireMessage): Buffer[] {
    switch (type) {
      case 'Q':
        return this.#simple(textAt(body, 0).text)
      case 'P':
        return [this.#parse(body)]
      case 'B':
        return [this.#bind(body)]
      case 'C':
      case 'D':
        return [this.#named(type, body)]
      case 'E':
      case 'H':
      case 'S':
        return [message(type, body)]
      default:
        throw new DatabaseError(`No message of type ${JSON.stringify(type)} is understood here`, { code: '0A000', severity: 'ERROR' })
    }
  }

  /** One text is one statement here, which the extended protocol sees to. */
  #simple(sql: string): Buffer[] {
    guardSession(sql)
    this.#unnamed = undefined
    return [...statement(sql), message('S')]
  }

  #parse(body: Buffer): Buffer {
    const { text: name, next } = textAt(body, 0)
    guardSession(textAt(body, next).text)
    if (name === '') {
      this.#unnamed = body
      return message('P', body)
    }
    if (this.#names.size === MAX_STATEMENTS) throw new DatabaseError(`A session may prepare ${MAX_STATEMENTS} statements`, { code: '53400', severity: 'ERROR' })
    this.#names.add(name)
    return message('P', this.#prefix + name, body.subarray(next))
  }

  #bind(body: Buffer): Buffer {
    const { text: portal, next } = textAt(body, 0)
    const { text: name, next: rest } = textAt(body, next)
    return message('B', portal, this.#ownName(name), body.subarray(rest))
  }

  #named(type: 'C' | 'D', body: Buffer): Buffer {
    if (body[0] !== 0x53) return message(type, body)
    const { text: name } = textAt(body, 1)
    if (type === 'C') this.#names.delete(name)
    return message(type, Buffer.from('S'), this.#ownName(name))
  }

  #ownName(name: string): string {
    return name === '' ? '' : this.#prefix + name
  }

  /** Whether the unnamed statement is used before it is prepared. */
  #beginsWithUnnamed(messages: readonly WireMessage[]): boolean {
    if (!this.#unnamed) return false
    for (const { type, body } of messages) {
      if ((type === 'P' && body[0] === 0) || type === 'Q') return false
      if (type === 'B' && body[textAt(body, 0).next] === 0) return true
      if (type === 'D' && body[0] === 0x53 && body[1] === 0) return true
    }
    return false
  }
}

/** The messages that run one statement without parameters. */
function statement(sql: string): Buffer[] {
  return [message('P', '', sql, Buffer.alloc(2)), message('B', '', '', NOTHING_BOUND), message('D', Buffer.from('P'), ''), message('E', '', ALL_ROWS)]
}

function raised({ message: text, code }: DatabaseError): Buffer[] {
  return statement(`do $$ begin raise sqlstate ${quoteText(code)} using message = ${quoteText(text)}; end $$`)
}
