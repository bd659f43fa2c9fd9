import { batch, database, type Buildable } from '@dot-do/worker-data/database'
import type { Call } from '@dot-do/worker-kernel/call'
import { BoundedCache, generateId, ServiceError } from '@dot-do/worker-utils'
import { desc, eq, gt, ne, or } from 'drizzle-orm'
import { iso } from '../api-keys.ts'
import type { Env } from '../env.ts'
import { signingKeys } from '../tables.ts'
import { seal, unseal } from './sealing.ts'

/** A row of the table of signing keys. */
export type SigningKeyRow = typeof signingKeys.$inferSelect

/** A public key as a JWK (RFC 8037). */
export interface PublicKey {
  kid: string
  kty: 'OKP'
  crv: 'Ed25519'
  alg: 'EdDSA'
  use: 'sig'
  x: string
}

/** A retired key is published until whatever it signed has long expired. */
const RETIRED_MS = 86_400_000

const PURPOSE = 'auth/signing-keys'

/** Opened private keys by their sealed form; none can be read out of its CryptoKey. */
const opened = new BoundedCache<string, CryptoKey>({ maxEntries: 16, ttlMs: 3_600_000 })

/** The key that signs now. The first who asks makes it, and the next one with it. */
export async function signingKey(call: Call<Env>): Promise<{ kid: string; key: CryptoKey }> {
  const [row] = await database(call).select().from(signingKeys).where(eq(signingKeys.state, 'current'))
  const current = row ?? (await makeFirstKeys(call)).find(({ state }) => state === 'current')
  if (!current) throw new TypeError('No signing key is current, though one was just made')
  return { kid: current.kid, key: await privateKey(current, call.env) }
}

/** Every key that a token may be verified with, newest first: those that will sign, too. */
export async function verifyingKeys(call: Call<Env>, now: Date): Promise<SigningKeyRow[]> {
  const rows = await keysInUse(call, now)
  return rows.some(({ state }) => state === 'current') ? rows : makeFirstKeys(call)
}

/** What is published of a key. */
export function publicKey({ kid, x }: Pick<SigningKeyRow, 'kid' | 'x'>): PublicKey {
  return { kid, kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig', x }
}

/** How a key is listed. */
export function shownKey({ kid, state, createdAt, retiredAt }: SigningKeyRow) {
  return { kid, state, createdAt: iso(createdAt), retiredAt: retiredAt === null ? null : iso(retiredAt) }
}

/** The statement that lets the next key sign, and the id of that key. CONFLICT, when it runs, where another rotation came first. */
export async function rotation(call: Call<Env>, now: Date): Promise<{ kid: string; statement: Buildable }> {
  const next = (await verifyingKeys(call, now)).find(({ state }) => state === 'next')
  if (!next) throw new TypeError('No signing key is next')
  const fresh = await newKey('next', call.env, now)
  const sql = 'select auth.rotate_signing_key($1, $2, $3, $4, $5::timestamptz)'
  return { kid: next.kid, statement: { sql, params: [next.kid, fresh.kid, fresh.x, fresh.sealed, fresh.createdAt] } }
}

/** The statement that forgets keys which verify nothing any more. */
export function forgetRetired(now: Date): Buildable {
  return { sql: 'delete from auth.signing_keys where retired_at <= $1::timestamptz', params: [retiredSince(now)] }
}

function keysInUse(call: Call<Env>, now: Date): Promise<SigningKeyRow[]> {
  return database(call)
    .select()
    .from(signingKeys)
    .where(or(ne(signingKeys.state, 'retired'), gt(signingKeys.retiredAt, retiredSince(now))))
    .orderBy(desc(signingKeys.createdAt), desc(signingKeys.kid))
}

function retiredSince(now: Date): string {
  return new Date(now.getTime() - RETIRED_MS).toISOString()
}

/** Of those who make the first keys at once, one succeeds; all get the same. */
async function makeFirstKeys(call: Call<Env>): Promise<SigningKeyRow[]> {
  const now = new Date()
  const made = await Promise.all([newKey('current', call.env, now), newKey('next', call.env, now)])
  const insert = (row: SigningKeyRow) => database(call).insert(signingKeys).values(row).onConflictDoNothing()
  await batch(call, made.map(insert))
  return keysInUse(call, now)
}

async function newKey(state: 'current' | 'next', env: Env, now: Date): Promise<SigningKeyRow> {
  const pair = (await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])) as CryptoKeyPair // an algorithm of key pairs
  const { x = '', d = '' } = (await crypto.subtle.exportKey('jwk', pair.privateKey)) as JsonWebKey // 'jwk' exports one
  const kid = generateId('sign')
  const at = now.toISOString()
  const sealed = await seal(d, { purpose: PURPOSE, context: kid }, env)
  return { kid, state, x, sealed, createdAt: at, signsSince: state === 'current' ? at : null, retiredAt: null }
}

async function privateKey({ kid, x, sealed }: SigningKeyRow, env: Env): Promise<CryptoKey> {
  const known = opened.get(sealed)
  if (known) return known
  const d = await unseal(sealed, { purpose: PURPOSE, context: kid }, env)
  if (d === undefined)
    throw new ServiceError('UNAVAILABLE', 'The signing key was made under another JWT_SIGNING_KEY; after two rotations a key of the present one signs')
  const key = await crypto.subtle.importKey('jwk', { kty: 'OKP', crv: 'Ed25519', x, d }, 'Ed25519', false, ['sign'])
  opened.set(sealed, key)
  return key
}
