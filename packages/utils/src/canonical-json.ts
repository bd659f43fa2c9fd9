import { encodeBase64url } from './base64url.ts'
import { ServiceError } from './service-error.ts'

/** Whatever JSON can say. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue }

const MAX_DEPTH = 500

/**
 * Writes a value as JSON with sorted keys and no space (RFC 8785), so that equal values have equal texts.
 *
 * Leaves out and converts what `JSON.stringify` does; `undefined` itself reads `null`. Deeper than 500 levels is INVALID rather than a stack overflow.
 */
export function canonicalJson(value: unknown): string {
  return write(value, 0) ?? 'null'
}

/** SHA-256 of a text in UTF-8, in lower-case hexadecimal. */
export async function sha256Hex(text: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** HMAC-SHA-256 of a text under a secret, both in UTF-8. */
export async function hmacSha256Base64url(secret: string, text: string): Promise<string> {
  const encoder = new TextEncoder()
  const key = await crypto.subtle.importKey('raw', encoder.encode(secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  return encodeBase64url(new Uint8Array(await crypto.subtle.sign('HMAC', key, encoder.encode(text))))
}

function write(value: unknown, depth: number): string | undefined {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (depth >= MAX_DEPTH) throw new ServiceError('INVALID', `The value is nested deeper than ${MAX_DEPTH} levels`)
  if ('toJSON' in value && typeof value.toJSON === 'function') return write(value.toJSON(), depth + 1)
  if (Array.isArray(value)) return `[${value.map((element) => write(element, depth + 1) ?? 'null').join(',')}]`
  const members = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([key, member]) => {
      const text = write(member, depth + 1)
      return text === undefined ? [] : `${JSON.stringify(key)}:${text}`
    })
  return `{${members.join(',')}}`
}
