import { randomBytes } from './random-pool.ts'

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
const LENGTH = 26

/**
 * Makes an id such as `note_7q3k…`: the prefix and 26 characters of Crockford's base 32 in lower case, 130 bits from crypto.
 *
 * Ids are not sortable: they tell nobody when, or how often, something is made. Lists sort by `createdAt` with the id as tie-break.
 */
export function generateId(prefix: string): string {
  let id = `${prefix}_`
  for (const byte of randomBytes(LENGTH)) id += ALPHABET.charAt(byte & 31)
  return id
}
