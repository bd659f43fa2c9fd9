import { decodeBase64url, encodeBase64url } from './base64url.ts'
import type { JsonValue } from './canonical-json.ts'
import { ServiceError } from './service-error.ts'

const MAX_LENGTH = 4096

/** Turns the place where a page ended into an opaque text. It is not signed: whoever decodes it checks its shape and takes nothing from it on trust. */
export function encodeCursor(value: JsonValue): string {
  return encodeBase64url(new TextEncoder().encode(JSON.stringify(value)))
}

/** Reads a cursor back. Throws INVALID, with `cursor` as the path, for anything `encodeCursor` cannot have written. */
export function decodeCursor(text: string): unknown {
  const bytes = text.length <= MAX_LENGTH ? decodeBase64url(text) : undefined
  if (!bytes) throw invalidCursor()
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch (cause) {
    throw invalidCursor(cause)
  }
}

function invalidCursor(cause?: unknown): ServiceError {
  return new ServiceError('INVALID', 'The cursor is not one of ours', { details: [{ path: 'cursor', message: 'Not a cursor from nextCursor' }], cause })
}
