import { protocol } from '@electric-sql/pglite'
import type { ExecProtocolResult } from '@electric-sql/pglite'
import { toDatabaseError } from './engine.ts'
import type { DatabaseError, Result, Statement } from './engine.ts'
import { encodeValue } from './values.ts'

const { messages, serialize } = protocol

/** The wire messages that run one statement; the unnamed statement and portal are replaced by the next. */
export function statementMessages({ sql, params }: Statement): Uint8Array[] {
  return [serialize.parse({ text: sql }), serialize.bind({ values: params.map(encodeValue) }), serialize.describe({ type: 'P' }), serialize.execute({})]
}

/** Ends an implicit transaction, commits it unless it failed, and makes the backend listen again after an error. */
export const sync = serialize.sync()

/** What a run of wire messages came to: the answers, the first error, and the transaction state of the last Sync (`I` idle, `T` open, `E` failed). */
export interface Outcome {
  results: Result[]
  error: DatabaseError | undefined
  status: string | undefined
}

/** Reads the backend's messages. */
export function outcomeOf(received: ExecProtocolResult['messages']): Outcome {
  const outcome: Outcome = { results: [], error: undefined, status: undefined }
  let fields: Result['fields'] = []
  let rows: Result['rows'] = []
  for (const message of received) {
    if (message instanceof messages.DataRowMessage) rows.push(message.fields)
    else if (message instanceof messages.RowDescriptionMessage) fields = message.fields.map(({ name, dataTypeID }) => ({ name, dataTypeID }))
    else if (message instanceof messages.CommandCompleteMessage) {
      outcome.results.push({ ...readTag(message.text), fields, rows })
      fields = []
      rows = []
    } else if (message instanceof messages.DatabaseError) outcome.error ??= toDatabaseError(message)
    else if (message instanceof messages.ReadyForQueryMessage) outcome.status = message.status
  }
  return outcome
}

/** `INSERT 0 3` has an unused number before the count; commands that touch no rows have none. */
function readTag(tag: string): { command: string; rowCount: number } {
  const words = tag.split(' ')
  const count = Number(words.at(-1))
  return { command: words[0] ?? '', rowCount: Number.isInteger(count) ? count : 0 }
}
