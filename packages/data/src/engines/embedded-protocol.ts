import { protocol } from '@electric-sql/pglite'
import { DatabaseError } from './engine.ts'
import type { ErrorFields, Result, Statement } from './engine.ts'
import { encodeValue } from './values.ts'

const { serialize } = protocol

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

const ROW = 0x44
const FIELDS = 0x54
const COMPLETE = 0x43
const ERROR = 0x45
const READY = 0x5a

/** Reads the backend's messages, which are whole. Offsets are those of "Message Formats" in PostgreSQL's documentation. */
export function outcomeOf(answer: Buffer): Outcome {
  const outcome: Outcome = { results: [], error: undefined, status: undefined }
  let fields: Result['fields'] = []
  let rows: Result['rows'] = []
  for (let at = 0; at < answer.length; at += 1 + answer.readInt32BE(at + 1)) {
    const type = answer[at]
    const body = at + 5
    if (type === ROW) rows.push(readRow(answer, body))
    else if (type === FIELDS) fields = readFields(answer, body)
    else if (type === COMPLETE) {
      outcome.results.push({ ...readTag(answer.toString('latin1', body, at + answer.readInt32BE(at + 1))), fields, rows })
      fields = []
      rows = []
    } else if (type === ERROR) outcome.error ??= readError(answer, body)
    else if (type === READY) outcome.status = String.fromCharCode(answer[body] ?? 0)
  }
  return outcome
}

function readRow(answer: Buffer, from: number): (string | null)[] {
  const row: (string | null)[] = []
  let at = from + 2
  for (let left = answer.readInt16BE(from); left > 0; left--) {
    const length = answer.readInt32BE(at)
    at += 4
    row.push(length === -1 ? null : answer.toString('utf8', at, at + length))
    if (length !== -1) at += length
  }
  return row
}

function readFields(answer: Buffer, from: number): Result['fields'] {
  const fields: Result['fields'] = []
  let at = from + 2
  for (let left = answer.readInt16BE(from); left > 0; left--) {
    const end = answer.indexOf(0, at)
    fields.push({ name: answer.toString('utf8', at, end), dataTypeID: answer.readUInt32BE(end + 7) })
    at = end + 19
  }
  return fields
}

/** The letters that fields of an error travel under; V is the severity in English, whatever the server speaks. */
const LETTERS: Record<string, keyof ErrorFields> = {
  V: 'severity',
  C: 'code',
  D: 'detail',
  H: 'hint',
  P: 'position',
  p: 'internalPosition',
  q: 'internalQuery',
  W: 'where',
  s: 'schema',
  t: 'table',
  c: 'column',
  d: 'dataType',
  n: 'constraint',
  F: 'file',
  L: 'line',
  R: 'routine',
}

function readError(answer: Buffer, from: number): DatabaseError {
  const fields: ErrorFields = {}
  let text = ''
  for (let at = from; answer[at] !== 0;) {
    const letter = String.fromCharCode(answer[at] ?? 0)
    const end = answer.indexOf(0, at)
    const value = answer.toString('utf8', at + 1, end)
    const field = LETTERS[letter]
    if (field) fields[field] = value
    if (letter === 'M') text = value
    at = end + 1
  }
  return new DatabaseError(text, { ...fields, code: fields.code ?? 'XX000' })
}

/** `INSERT 0 3` has an unused number before the count; commands that touch no rows have none. */
function readTag(tag: string): { command: string; rowCount: number } {
  const words = tag.split(' ')
  const count = Number(words.at(-1))
  return { command: words[0] ?? '', rowCount: Number.isInteger(count) ? count : 0 }
}
