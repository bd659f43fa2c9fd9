import type { Connection, FieldDef, Submittable } from '@neondatabase/serverless'
import type { Statement, TextRows } from '../database.ts'
import { encodeValue } from './values.ts'

/** Ends a run of messages. The driver's own `sync` sends a Flush before it, which asks the server to answer twice. */
export const SYNC = Uint8Array.of(0x53, 0, 0, 0, 4)

/**
 * Statements sent together, up to one Sync, in the extended protocol, where a text can only be one statement. The driver's own query sends one and waits, and takes a text
 * without parameters for several statements. The driver calls the methods beginning with `handle`.
 */
export class Exchange implements Submittable {
  /** What each statement gave, in order. */
  readonly results: Promise<TextRows[]>
  readonly #statements: readonly Statement[]
  readonly #resolve: (results: TextRows[]) => void
  readonly #reject: (reason: unknown) => void
  readonly #results: TextRows[] = []
  #fields: TextRows['fields'] = []
  #rows: (string | null)[][] = []

  constructor(statements: readonly Statement[]) {
    const { promise, resolve, reject } = Promise.withResolvers<TextRows[]>()
    this.results = promise
    this.#resolve = resolve
    this.#reject = reject
    this.#statements = statements
  }

  submit(connection: Connection): void {
    for (const { sql, params } of this.#statements) {
      connection.parse({ name: '', text: sql, types: [] }, true)
      connection.bind({ values: params.map(encodeValue) }, true)
      connection.describe({ type: 'P', name: '' }, true)
      connection.execute({ portal: '', rows: '0' }, true)
    }
    const stream: { write(bytes: Uint8Array): void } = connection.stream
    stream.write(SYNC)
  }

  handleRowDescription({ fields }: { fields: FieldDef[] }): void {
    this.#fields = fields.map(({ name, dataTypeID }) => ({ name, dataTypeID }))
  }

  handleDataRow({ fields }: { fields: (string | null)[] }): void {
    this.#rows.push(fields)
  }

  handleCommandComplete({ text }: { text: string }): void {
    const words = text.split(' ')
    const count = Number(words.at(-1))
    this.#results.push({ command: words[0] ?? '', rowCount: Number.isInteger(count) ? count : 0, fields: this.#fields, rows: this.#rows })
    this.#fields = []
    this.#rows = []
  }

  handleError(error: unknown): void {
    this.#reject(error)
  }

  handleReadyForQuery(): void {
    this.#resolve(this.#results)
  }
}
