import type { RawInsertFormat } from 'chdb'
import { refusal } from './refusal.ts'

/** Rows for a table. */
export interface Insertion {
  database: string | undefined
  table: string
  columns: string[] | undefined
  format: RawInsertFormat
  rows: Buffer
}

/** How many bytes of a body are looked at for an INSERT before its rows. */
const headBytes = 16_384

const NAME = '(?:[A-Za-z_]\\w*|`[A-Za-z_]\\w*`|"[A-Za-z_]\\w*")'

/** `INSERT INTO table (columns) FORMAT name`, in plain names and nothing else, so that no reading of it can make its rows a part of the statement. */
const INSERT = new RegExp(
  `^\\s*insert\\s+into\\s+(?:table\\s+)?(?:(${NAME})\\s*\\.\\s*)?(${NAME})\\s*(?:\\(\\s*(${NAME}(?:\\s*,\\s*${NAME})*)\\s*\\)\\s*)?format\\s+(\\w+)(?=\\s|;|$)[ \\t]*;?`,
  'i',
)

/** Formats whose rows are taken: those that chdb hands over as bytes. Where rows are JSON a line feed is no part of a value. */
const FORMATS = new Map<string, { format: RawInsertFormat; isJson: boolean }>(
  (['JSONEachRow', 'JSONCompactEachRow', 'CSV', 'CSVWithNames', 'TSV', 'TabSeparated', 'TSVWithNames', 'TabSeparatedWithNames'] as const).map((format) => [
    format.toLowerCase(),
    { format, isJson: format.startsWith('JSON') },
  ]),
)

/**
 * Reads an INSERT with rows: the statement in `query` and the rows in the body, or one after the other in the body. Nothing for any other statement.
 * Fails for a format that is not taken.
 */
export function readInsertion(query: string | undefined, body: Buffer): Insertion | undefined {
  const text = query ?? body.subarray(0, headBytes).toString('latin1')
  const match = INSERT.exec(text)
  if (!match) return undefined
  const [head, database, table = '', columns, name = ''] = match
  if (query !== undefined && query.slice(head.length).trim() !== '') return undefined
  const known = FORMATS.get(name.toLowerCase())
  if (!known)
    throw refusal('NOT_IMPLEMENTED', `Rows in the format ${name} are not taken; there is ${[...FORMATS.values()].map(({ format }) => format).join(', ')}`)
  const rows = query === undefined ? body.subarray(head.length) : body
  return {
    database: database === undefined ? undefined : plain(database),
    table: plain(table),
    columns: columns?.split(',').map(plain),
    format: known.format,
    rows: known.isJson ? withoutBlankLines(rows) : withoutBlankStart(rows),
  }
}

const plain = (name: string): string => name.trim().replace(/^[`"]|[`"]$/g, '')

const LINE_FEED = 10

/** The engine takes what follows a blank line for the next statement, so there must be none; in JSON it means nothing. */
function withoutBlankLines(rows: Buffer): Buffer {
  const parts: Buffer[] = []
  let start = startOf(rows)
  for (let blank = rows.indexOf('\n\n', start); blank !== -1; blank = rows.indexOf('\n\n', start)) {
    parts.push(rows.subarray(start, blank + 1))
    start = blank + 1
    while (rows[start] === LINE_FEED) start++
  }
  return parts.length === 0 ? rows.subarray(start) : Buffer.concat([...parts, rows.subarray(start)])
}

/** The same where a blank line can be part of a value: it is refused. */
function withoutBlankStart(rows: Buffer): Buffer {
  const trimmed = rows.subarray(startOf(rows))
  if (trimmed.includes('\n\n')) throw refusal('NOT_IMPLEMENTED', 'Rows with a blank line among them are taken as JSON only')
  return trimmed
}

/** Where the first line that is not blank begins. */
function startOf(rows: Buffer): number {
  let start = 0
  while (start < rows.length && ' \t\r\n'.includes(String.fromCharCode(rows[start] ?? 0))) start++
  return start
}
