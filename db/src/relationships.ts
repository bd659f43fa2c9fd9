import type { Statement } from './database.ts'

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
const LENGTH = 26

/** What names one relationship. */
export interface RelationshipName {
  ns: string
  from: string
  predicate: string
  to: string
}

/** The id of a relationship, made of what names it: so it is known before it is written, and is the same when it is said again or imported elsewhere. */
export async function relationshipIdOf({ ns, from, predicate, to }: RelationshipName): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(JSON.stringify([ns, from, predicate, to])))
  return `rel_${[...new Uint8Array(digest, 0, LENGTH)].map((byte) => ALPHABET.charAt(byte & 31)).join('')}`
}

/** Where a page of a walk ended: the distance, and the relationship there, from the end the walk came by. */
export type WalkPlace = [depth: number, near: string, predicate: string, far: string]

/** A walk along relationships, or back along them. */
export interface Walk {
  ns: string
  start: string
  predicate?: string | undefined
  depth: number
  backwards: boolean
  limit: number
  after?: WalkPlace | undefined
}

/** A page of a walk, and one more, as one array; null for a walk that goes too far. */
export function walkStatement({ limit, ...walk }: Walk): Statement {
  return { sql: 'select db.walk($1::jsonb)', params: [JSON.stringify({ ...walk, limit: limit + 1 })] }
}
