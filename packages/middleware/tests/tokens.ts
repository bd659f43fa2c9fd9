import { exportJWK, generateKeyPair, SignJWT, type JWTPayload, type JWTHeaderParameters } from 'jose'
import type { TokenVerification } from '../src/access-token.ts'

export const ISSUER = 'https://gateway.do'

/** A pair of keys as auth has them, and tokens signed with it. */
export async function signer(kid: string) {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA', { extractable: true })
  const { x = '' } = await exportJWK(publicKey)
  const key: TokenVerification['keys'][number] = { kid, kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig', x }
  const sign = (claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}) =>
    new SignJWT({ ...claimsAt(Date.now()), ...claims })
      .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid, ...header } as JWTHeaderParameters)
      .sign(privateKey)
  return { key, sign }
}

/** Alice's claims for an hour from now on. */
export function claimsAt(now: number): JWTPayload {
  const seconds = Math.floor(now / 1000)
  return {
    iss: ISSUER,
    aud: ISSUER,
    sub: 'user_alice',
    iat: seconds,
    nbf: seconds,
    exp: seconds + 3600,
    jti: 'one',
    kind: 'user',
    tenant: 'acme',
    permissions: ['things:read'],
    sid: 'sess_1',
  }
}

/** What auth says, where nothing is revoked unless told. */
export function verificationOf(keys: TokenVerification['keys'], revoked: TokenVerification['revoked'] = []): TokenVerification {
  return { issuer: ISSUER, audience: ISSUER, keys, revoked }
}

/** A token of any header and payload, with a signature that somebody else made. */
export function forged(header: object, payload: object, signature = 'AAAA'): string {
  return [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.') + `.${signature}`
}
