import type { Connection, Submittable } from '@neondatabase/serverless'
import type { Statement } from '../database.ts'
import { SYNC } from '../transports/exchange.ts'
import { encodeValue } from '../transports/values.ts'

/**
 * Rows of one statement as PostgreSQL's own text, at most so many at a time: what is left waits in the unnamed portal, which an open transaction keeps until the next
 * statement. That is a cursor without saying so, which no role may where all of them share a backend. The driver calls the methods beginning with `handle`.
 */
export class PortalRows implements Submittable {
  readonly results: Promise<(string | null)[][]>
  readonly #statement: Statement | undefined
  readonly #count: number
  readonly #resolve: (rows: (string | null)[][]) => void
  readonly #reject: (reason: unknown) => void
  readonly #rows: (string | null)[][] = []

  /** Begins a statement, or without one goes on with that before; 0 rows are all there are. */
  constructor(statement: Statement | undefined, count: number) {
    const { promise, resolve, reject } = Promise.withResolvers<(string | null)[][]>()
    this.results = promise
    this.#resolve = resolve
    this.#reject = reject
    this.#statement = statement
    this.#count = count
  }

  submit(connection: Connection): void {
    if (this.#statement) {
      connection.parse({ name: '', text: this.#statement.sql, types: [] }, true)
      connection.bind({ values: this.#statement.params.map(encodeValue) }, true)
    }
    connection.execute({ portal: '', rows: String(this.#count) }, true)
    const stream: { write(bytes: Uint8Array): void } = connection.stream
    stream.write(SYNC)
  }

  handleDataRow({ fields }: { fields: (string | null)[] }): void {
    this.#rows.push(fields)
  }

  /** There is more. */
  handlePortalSuspended(): void {}

  handleCommandComplete(): void {}

  handleError(error: unknown): void {
    this.#reject(error)
  }

  handleReadyForQuery(): void {
    this.#resolve(this.#rows)
  }
}
