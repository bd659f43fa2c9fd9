/** Codes that are given here, by name: https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp */
const CODES = {
  BAD_ARGUMENTS: 36,
  NOT_IMPLEMENTED: 48,
  SYNTAX_ERROR: 62,
  UNKNOWN_DATABASE: 81,
  UNKNOWN_SETTING: 115,
  INCORRECT_DATA: 117,
  READONLY: 164,
  TOO_MANY_SIMULTANEOUS_QUERIES: 202,
  QUERY_IS_TOO_LARGE: 229,
  TOO_MANY_ROWS_OR_BYTES: 396,
  SETTING_CONSTRAINT_VIOLATION: 452,
  ACCESS_DENIED: 497,
  AUTHENTICATION_FAILED: 516,
  STD_EXCEPTION: 1001,
} as const

/** Which answer a code is given with; 500 for all others: https://github.com/ClickHouse/ClickHouse/blob/master/src/Server/HTTP/exceptionCodeToHTTPStatus.cpp */
const CODES_BY_STATUS: [status: number, codes: number[]][] = [
  [400, [6, 8, 15, 25, 26, 27, 36, 37, 38, 41, 44, 53, 62, 72, 117, 123, 167, 168, 223, 321, 376, 427, 441, 675, 676]],
  [401, [194]],
  [403, [192, 193, 497, 512, 516]],
  [404, [46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 152, 336, 511]],
  [408, [159]],
  [413, [229]],
  [501, [48]],
  [503, [76, 209, 439]],
]

/** Why a request is refused, as ClickHouse says it. */
export class Refusal extends Error {
  readonly code: number
  readonly codeName: string

  constructor(code: number, codeName: string, message: string) {
    super(message)
    this.name = 'Refusal'
    this.code = code
    this.codeName = codeName
  }

  get status(): number {
    return CODES_BY_STATUS.find(([, codes]) => codes.includes(this.code))?.[0] ?? 500
  }

  /** The body of an answer, in ClickHouse's words. */
  toText(version: string): string {
    return `Code: ${this.code}. DB::Exception: ${this.message} (${this.codeName}) (version ${version})\n`
  }
}

/** A refusal of one's own making. */
export function refusal(codeName: keyof typeof CODES, message: string): Refusal {
  return new Refusal(CODES[codeName], codeName, message)
}

/** What the engine's error says: `Code: 60. DB::Exception: Unknown table … (UNKNOWN_TABLE)`, at times wrapped in the same once more. Anything else is a STD_EXCEPTION. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  const text = (error instanceof Error ? error.message : String(error)).trim()
  const code = /^Code: (\d+)\./.exec(text)?.[1]
  if (code === undefined) return refusal('STD_EXCEPTION', text)
  // A text ends at its first NUL, which may stand before the code's name.
  const codeName = /\(([A-Z][A-Z0-9_]+)\)$/.exec(text)?.[1] ?? Object.entries(CODES).find(([, known]) => known === Number(code))?.[0] ?? 'STD_EXCEPTION'
  const message = text.replace(/^(Code: \d+\. DB::Exception: )+/, '').replace(/(\s*\([A-Z][A-Z0-9_]+\)( \(version [^)]*\)\.?)?)+$/, '')
  return new Refusal(Number(code), codeName, message)
}
