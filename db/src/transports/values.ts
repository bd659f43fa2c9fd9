import { types as neonTypes } from '@neondatabase/serverless'

/** PostgreSQL's type numbers (`pg_type.dat`) whose text has an exact counterpart in JSON. */
const PARSERS: Record<number, (text: string) => unknown> = {
  16: (text) => text === 't',
  21: Number,
  23: Number,
  26: Number,
  114: JSON.parse,
  700: Number,
  701: Number,
  3802: JSON.parse,
}

/** Arrays of booleans, numbers that JSON holds, texts, int8 as text, and JSON. */
const EXACT_ARRAYS = new Set([199, 1000, 1005, 1007, 1009, 1015, 1016, 1021, 1022, 3807])

/** What PostgreSQL's text of a type is to a caller; the same over every transport. Undefined for what stays text. */
export function parserOf(dataTypeID: number): ((text: string) => unknown) | undefined {
  return EXACT_ARRAYS.has(dataTypeID) ? neonTypes.getTypeParser(dataTypeID) : PARSERS[dataTypeID]
}

/** Rows of text as a caller gets them. They are changed in place: each is read once. */
export function parseRows(fields: readonly { dataTypeID: number }[], rows: (string | null)[][]): unknown[][] {
  const parsed: unknown[][] = rows
  for (const [index, { dataTypeID }] of fields.entries()) {
    const parse = parserOf(dataTypeID)
    if (!parse) continue
    for (const row of parsed) if (typeof row[index] === 'string') row[index] = parse(row[index])
  }
  return parsed
}

/** A value of JSON as PostgreSQL's text: arrays as `{…}`, objects as JSON. */
export function encodeValue(value: unknown): string | null {
  if (value === null || value === undefined) return null
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return `{${value.map(encodeElement).join(',')}}`
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

function encodeElement(value: unknown): string {
  const text = encodeValue(value)
  if (text === null) return 'NULL'
  return Array.isArray(value) ? text : `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}
