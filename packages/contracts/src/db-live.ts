import * as z from 'zod'
import { createValidator } from '@dot-do/worker-schemas'
import type { CallOptions } from '@dot-do/worker-types'
import type { Change, changesInput } from './change.ts'
import type { InputOf, OutputOf } from './contract.ts'
import { Statement as StatementSchema, type db } from './db.ts'

/** Parses what `begin` is given; throws INVALID. */
export const parseBeginInput = createValidator(z.strictObject({ readOnly: z.boolean().default(false) }))

/** Parses a statement of a live transaction; throws INVALID. */
export const parseStatement = createValidator(StatementSchema)

type Statement = InputOf<(typeof db)['operations']['execute']>['statements'][number]
type Rows = OutputOf<(typeof db)['operations']['execute']>['results'][number]

/**
 * A transaction that is open: what `begin` gives over RPC. It is rolled back when nobody has used it for 10 s (2 s on the embedded engine) and when its last stub goes away;
 * after its end every method is refused with CONFLICT.
 */
export interface Transaction {
  /** Runs one statement and answers its rows. A statement that fails leaves the transaction with nothing to do but to roll back. */
  query(statement: Statement): Promise<Rows>
  commit(): Promise<void>
  rollback(): Promise<void>
}

/** What db offers over RPC alone, beside its operations: `DB_SERVICE: Service<Db & DbLive>`. */
export interface DbLive {
  /** Opens a transaction under the calling service's own PostgreSQL role. Needs `db:begin`; UNAVAILABLE when no connection is free within 5 s. */
  begin(input: { readOnly?: boolean }, call?: CallOptions): Promise<Transaction & Disposable>
  /**
   * What changes from a cursor on, in the order of commit, as lines of JSON: each a Change, or `{"kind":"heartbeat","cursor":…}` after 15 quiet seconds. Needs `things:read`.
   * It ends after ten minutes, and when the database is away for long: whoever wants more asks again from the last cursor on.
   */
  changes(input: z.input<typeof changesInput>, call?: CallOptions): Promise<ReadableStream<Uint8Array>>
}

/** One line of the change feed. */
export type ChangeLine = z.output<typeof Change> | { kind: 'heartbeat'; cursor: string }
