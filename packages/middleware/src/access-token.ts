import type { Principal } from '@dot-do/worker-types'
import { BoundedCache, decodeBase64url, ServiceError } from '@dot-do/worker-utils'
import type { JWTPayload } from 'jose'
import { createLocalJWKSet, type LocalJWKSet } from 'jose/jwks/local'
import { jwtVerify } from 'jose/jwt/verify'

/** What it takes to verify access tokens, as auth's `tokenVerification` tells it. */
export interface TokenVerification {
  issuer: string
  audience: string
  keys: { kid: string; kty: 'OKP'; crv: 'Ed25519'; alg: 'EdDSA'; use: 'sig'; x: string }[]
  /** Tokens of a session, a user or a trust that were issued up to `before` are refused. */
  revoked: { subject: string; before: string }[]
}

/** A token that holds, as far as its signature and its times go. */
interface Verified {
  principal: Principal
  issuedAt: number
  expiresAt: number
}

/** An access token may have so many characters. */
export const MAX_TOKEN_LENGTH = 8_192

/** Clocks of two machines may differ by so much where a token's beginning is concerned; its end is taken at its word. */
const LEEWAY_SECONDS = 5

/** Tokens that hold are issued by auth alone, so that their number is that of those signed in. */
const MAX_VERIFIED = 5_000

/** Anybody can make tokens that do not hold, of any length. */
const MAX_REFUSED = 1_000
const REFUSED_MS = 2_000

/** Longer than any access token lives; each goes when it expires itself. */
const VERIFIED_MS = 3_600_000

/** Whether a text has the form of an access token of ours: a JWT that says it is one (RFC 9068) and is signed the one way that is taken. Whether it holds is another matter. */
export function hasTokenForm(text: string): boolean {
  const [, header] = text.length > MAX_TOKEN_LENGTH ? [] : (/^([\w-]+)\.[\w-]+\.[\w-]+$/.exec(text) ?? [])
  const { alg, typ } = (header === undefined ? undefined : parsedObject(header)) ?? {}
  return alg === 'EdDSA' && typ === 'at+jwt'
}

/** Whether a text is an access token of this platform's by its form and its claims, which nobody has checked: another issuer's are passed over by it. */
export function isOwnToken(text: string): boolean {
  if (!hasTokenForm(text)) return false
  const { kind, tenant, permissions } = parsedObject(text.split('.')[1] ?? '') ?? {}
  return (kind === 'user' || kind === 'workload') && typeof tenant === 'string' && isTexts(permissions)
}

/** A credential that does not hold. The detail tells whoever answers from those that merely lack one (RFC 6750 §3.1). */
export function refusedCredential(message: string): ServiceError {
  return new ServiceError('UNAUTHENTICATED', message, { details: [{ path: 'credential', message: 'does not hold' }] })
}

/**
 * Verifies access tokens (RFC 9068) with the keys that auth publishes, and remembers the outcome by the whole token: a signature costs 56 µs, a look into a map
 * less than one. What was signed with a key that is no longer published, or was revoked since, is refused although it is remembered.
 */
export class AccessTokenVerifier {
  #verified = newVerified()
  #refused = newRefused()
  #known: { text: string; issuer: string; audience: string; keySet: LocalJWKSet } | undefined
  #revoked: ReadonlyMap<string, number> = new Map()

  /** Goes by this from now on. */
  update({ issuer, audience, keys, revoked }: TokenVerification): void {
    this.#revoked = new Map(revoked.map(({ subject, before }) => [subject, Date.parse(before)]))
    const text = JSON.stringify([issuer, audience, keys])
    if (text === this.#known?.text) return
    this.#known = { text, issuer, audience, keySet: createLocalJWKSet({ keys }) }
    this.#verified = newVerified()
    this.#refused = newRefused()
  }

  /** Whose a token is that was verified before; undefined for one that was not. Throws for one that expired, was revoked or was refused a moment ago. */
  recall(token: string): Principal | undefined {
    const verified = this.#verified.get(token)
    if (verified) return this.#inForce(verified)
    const refused = this.#refused.get(token)
    if (refused !== undefined) throw refusedCredential(refused)
    return undefined
  }

  /** Whose a token is; undefined if the key it was signed with is not known. Throws if it does not hold. */
  async verify(token: string): Promise<Principal | undefined> {
    const outcome = await this.#check(token)
    if (outcome === undefined) return undefined
    if (typeof outcome === 'string') {
      this.#refused.set(token, outcome)
      throw refusedCredential(outcome)
    }
    this.#verified.set(token, outcome)
    return this.#inForce(outcome)
  }

  async #check(token: string): Promise<Verified | string | undefined> {
    if (!hasTokenForm(token)) return MALFORMED
    if (!this.#known) return undefined
    const { issuer, audience, keySet } = this.#known
    try {
      const options = { algorithms: ['EdDSA'], typ: 'at+jwt', issuer, audience, clockTolerance: LEEWAY_SECONDS, requiredClaims: ['sub', 'iat', 'exp'] }
      const { payload, protectedHeader } = await jwtVerify(token, keySet, options)
      // Without a kid the key set would give its only key.
      return typeof protectedHeader.kid === 'string' ? (verifiedOf(payload) ?? MALFORMED) : MALFORMED
    } catch (thrown) {
      const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
      if (code === 'ERR_JWKS_NO_MATCHING_KEY') return undefined
      return code === 'ERR_JWT_EXPIRED' ? EXPIRED : MALFORMED
    }
  }

  #inForce({ principal, issuedAt, expiresAt }: Verified): Principal {
    if (expiresAt <= Date.now()) throw refusedCredential(EXPIRED)
    if (this.#revoked.size === 0) return principal
    const before = Math.max(this.#revoked.get(principal.id) ?? 0, this.#revoked.get(principal.session ?? '') ?? 0)
    if (issuedAt <= before) throw refusedCredential('This access token was revoked')
    return principal
  }
}

const MALFORMED = 'This access token is not valid'
const EXPIRED = 'This access token has expired'

function newVerified(): BoundedCache<string, Verified> {
  return new BoundedCache({ maxEntries: MAX_VERIFIED, ttlMs: VERIFIED_MS })
}

/** The reason by the token. */
function newRefused(): BoundedCache<string, string> {
  return new BoundedCache({ maxEntries: MAX_REFUSED, ttlMs: REFUSED_MS })
}

function verifiedOf({ sub, iat, exp, kind, tenant, permissions, sid }: JWTPayload): Verified | undefined {
  if (typeof sub !== 'string' || (kind !== 'user' && kind !== 'workload') || typeof tenant !== 'string' || !isTexts(permissions)) return undefined
  if (sid !== undefined && typeof sid !== 'string') return undefined
  const principal: Principal = { id: sub, kind, tenant, permissions, ...(sid === undefined ? {} : { session: sid }) }
  return { principal, issuedAt: Math.round((iat ?? 0) * 1000), expiresAt: (exp ?? 0) * 1000 }
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((text) => typeof text === 'string')
}

function parsedObject(base64url: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(decodeBase64url(base64url)))
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}
