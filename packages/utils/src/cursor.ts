import type { PaginatedResponse } from '@dot-do/worker-types'
import { decodeBase64url, encodeBase64url } from './base64url.ts'
import type { JsonValue } from './canonical-json.ts'
import { ServiceError } from './service-error.ts'

const MAX_LENGTH = 4096

/** Turns the place where a page ended into an opaque text. It is not signed: whoever decodes it checks its shape and takes nothing from it on trust. */
export function encodeCursor(value: JsonValue): string {
  return encodeBase64url(new TextEncoder().encode(JSON.stringify(value)))
}

/** Reads a cursor back. Throws INVALID, with `cursor` as the path, for anything that is not a place of this list. */
export function decodeCursor<Place>(text: string, isPlace: (value: unknown) => value is Place): Place {
  const bytes = text.length <= MAX_LENGTH ? decodeBase64url(text) : undefined
  const place = bytes && parsed(bytes)
  if (isPlace(place)) return place
  throw new ServiceError('INVALID', 'The cursor is not one of this list', { details: [{ path: 'cursor', message: 'is not a nextCursor of this list' }] })
}

/** One page of what was found, where one more than the limit was asked for to know whether there is a next one. */
export function pageOf<Item>(found: readonly Item[], limit: number, placeOf: (item: Item) => JsonValue): PaginatedResponse<Item> {
  const items = found.slice(0, limit)
  const last = items.at(-1)
  return { items, nextCursor: found.length > limit && last !== undefined ? encodeCursor(placeOf(last)) : null }
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch {
    return undefined
  }
}
