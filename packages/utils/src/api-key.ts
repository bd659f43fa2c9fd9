import { encodeBase64url } from './base64url.ts'

/** Which deployments take a key: `live` for production, `test` for everything else. */
export type ApiKeyMode = 'live' | 'test'

const PATTERN = /^sk_(live|test)_[A-Za-z0-9_-]{43}[0-9A-Za-z]{6}$/
const CHECKSUM_LENGTH = 6
const LENGTH = 'sk_live_'.length + 43 + CHECKSUM_LENGTH
const DISPLAY_LENGTH = 12
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte
  for (let bit = 0; bit < 8; bit++) remainder = remainder & 1 ? (remainder >>> 1) ^ 0xedb88320 : remainder >>> 1
  return remainder
})

/**
 * Makes a key: `sk_live_` or `sk_test_`, 32 random bytes in base64url, and 6 characters of checksum.
 *
 * The checksum is the CRC-32 of all before it in base 62, as in GitHub's tokens: a mistyped or invented key is known to be one without asking the database.
 */
export function generateApiKey(mode: ApiKeyMode): string {
  const body = `sk_${mode}_${encodeBase64url(crypto.getRandomValues(new Uint8Array(32)))}`
  return body + checksum(body)
}

/** Says which mode a key is for, or undefined when it is not a key of ours: wrong shape or wrong checksum. Whether it is in force only auth knows. */
export function parseApiKey(text: string): { mode: ApiKeyMode } | undefined {
  if (text.length !== LENGTH || !PATTERN.test(text)) return undefined
  const body = text.slice(0, -CHECKSUM_LENGTH)
  if (checksum(body) !== text.slice(-CHECKSUM_LENGTH)) return undefined
  return { mode: text.startsWith('sk_live_') ? 'live' : 'test' }
}

/** Shortens a key to what may be shown again in a list (`sk_live_abcd…`). */
export function displayApiKey(key: string): string {
  return `${key.slice(0, DISPLAY_LENGTH)}…`
}

function checksum(text: string): string {
  let rest = crc32(text)
  let digits = ''
  for (let place = 0; place < CHECKSUM_LENGTH; place++) {
    digits = BASE62.charAt(rest % 62) + digits
    rest = Math.floor(rest / 62)
  }
  return digits
}

/** CRC-32 (IEEE 802.3) of a text in ASCII. */
function crc32(text: string): number {
  let crc = 0xffffffff
  for (let index = 0; index < text.length; index++) crc = (CRC_TABLE[(crc ^ text.charCodeAt(index)) & 255] ?? 0) ^ (crc >>> 8)
  return (crc ^ 0xffffffff) >>> 0
}
