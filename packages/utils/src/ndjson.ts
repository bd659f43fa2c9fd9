import { ServiceError } from './service-error.ts'

const NEWLINE = 0x0a

/**
 * Splits a stream of bytes into its lines, without their ends; a last one needs none. Holds one line at a time, of at most `maxBytes`.
 * INVALID for what is not UTF-8, TOO_LARGE for a longer line, both naming the line by its number from 1.
 */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<string> {
  let parts: Uint8Array[] = []
  let sizeBytes = 0
  let number = 1
  for await (const chunk of chunks) {
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      parts.push(chunk.subarray(start, end))
      yield lineOf(parts, { number, maxBytes })
      start = end + 1
      number += 1
      parts = []
      sizeBytes = 0
    }
    if (start === chunk.length) continue
    // Copied, since whoever reads a stream may use its buffer again.
    parts.push(chunk.slice(start))
    sizeBytes += chunk.length - start
    if (sizeBytes > maxBytes) throw tooLong(number, maxBytes)
  }
  if (parts.length > 0) yield lineOf(parts, { number, maxBytes })
}

function lineOf(parts: Uint8Array[], { number, maxBytes }: { number: number; maxBytes: number }): string {
  const [only] = parts
  const bytes = parts.length === 1 && only ? only : joined(parts)
  if (bytes.length > maxBytes) throw tooLong(number, maxBytes)
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes)
    return text.endsWith('\r') ? text.slice(0, -1) : text
  } catch (cause) {
    throw refused('INVALID', { number, message: 'is not UTF-8' }, cause)
  }
}

function joined(parts: Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((total, { length }) => total + length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

const tooLong = (number: number, maxBytes: number): ServiceError => refused('TOO_LARGE', { number, message: `has more than ${maxBytes} bytes` })

function refused(code: 'INVALID' | 'TOO_LARGE', { number, message }: { number: number; message: string }, cause?: unknown): ServiceError {
  return new ServiceError(code, `Line ${number} ${message}`, { details: [{ path: `lines.${number}`, message }], cause })
}
