import type { ErrorFields } from './engine.ts'

/** Frames a message: its type, its length, its body. */
export function message(type: string, ...parts: (Buffer | string)[]): Buffer {
  const body = parts.map((part) => (typeof part === 'string' ? Buffer.from(`${part}\0`) : part))
  const head = Buffer.alloc(5)
  head.write(type, 'latin1')
  head.writeInt32BE(4 + body.reduce((size, part) => size + part.length, 0), 1)
  return Buffer.concat([head, ...body])
}

/** The text that begins at `from` and ends with a zero byte, and where the next thing begins. */
export function textAt(body: Buffer, from: number): { text: string; next: number } {
  const end = body.indexOf(0, from)
  return end === -1 ? { text: body.toString('utf8', from), next: body.length } : { text: body.toString('utf8', from, end), next: end + 1 }
}

/** Each message of a whole answer: its type and its bytes. */
export function* messagesOf(answer: Buffer): Generator<{ type: string; bytes: Buffer }> {
  for (let at = 0; at + 5 <= answer.length;) {
    const end = at + 1 + answer.readInt32BE(at + 1)
    yield { type: String.fromCharCode(answer[at] ?? 0), bytes: answer.subarray(at, end) }
    at = end
  }
}

/** The transaction's state that ends an answer (`I`, `T`, `E`), if a ReadyForQuery does. */
export function statusOf(answer: Buffer): string | undefined {
  const end = answer.subarray(-6)
  return end.length === 6 && end[0] === 0x5a && end.readInt32BE(1) === 5 ? String.fromCharCode(end[5] ?? 0) : undefined
}

/** An answer to one text that was run by the extended protocol, as if it had been run by the simple one. */
export function withoutPreparation(answer: Buffer): Buffer {
  return Buffer.concat([...messagesOf(answer)].filter(({ type }) => !'123nt'.includes(type)).map(({ bytes }) => bytes))
}

/** An answer without its first ParseComplete, to a Parse that the client did not send. */
export function withoutFirstParse(answer: Buffer): Buffer {
  return answer[0] === 0x31 ? answer.subarray(5) : answer
}

/** Letters of an ErrorResponse (PostgreSQL documentation, "Error and Notice Message Fields"). */
const LETTERS: Partial<Record<keyof ErrorFields, string>> = { severity: 'S', code: 'C', detail: 'D', hint: 'H', position: 'P', constraint: 'n' }

/** An ErrorResponse. */
export function errorResponse(text: string, fields: ErrorFields): Buffer {
  const parts = Object.entries(LETTERS).flatMap(([field, letter]) => {
    const value = fields[field as keyof ErrorFields] // the table's own keys
    return value === undefined ? [] : [letter + value]
  })
  return message('E', `V${fields.severity ?? 'ERROR'}`, ...parts, `M${text}`, Buffer.from([0]))
}
