import type { Call } from '@dot-do/worker-kernel/call'
import type { HealthCheck } from '@dot-do/worker-types'
import { generateId, ServiceError } from '@dot-do/worker-utils'
import { SignJWT } from 'jose/jwt/sign'
import type { Env } from '../env.ts'
import { missingForSealing } from './sealing.ts'
import { signingKey } from './signing-keys.ts'

/** How long a person's access token lives. */
export const USER_TOKEN_SECONDS = 3600

/** Longer ones are not taken anywhere: they would not fit into headers. */
const LONGEST_TOKEN = 8_192

/** What an access token says. */
export interface AccessClaims {
  /** The principal's id. */
  sub: string
  kind: 'user' | 'workload'
  tenant: string
  permissions: readonly string[]
  /** The session it belongs to. */
  sid?: string
  /** When the rights were looked up; now, unless told. A refusal that came after it must reach the token. */
  issuedAt?: Date
}

/**
 * Signs an access token (RFC 9068). `iat` has a fraction of a second, which RFC 7519 allows: a token that is made in the second in which another was refused
 * must be told from it.
 */
export async function signAccessToken(claims: AccessClaims, lifetimeSeconds: number, call: Call<Env>): Promise<string> {
  return signWith(await signerOf(call), claims, lifetimeSeconds)
}

/** What signs, and in whose name. */
export type Signer = Awaited<ReturnType<typeof signingKey>> & { platform: string }

/** Looks up what signs now. */
export async function signerOf(call: Call<Env>): Promise<Signer> {
  return { ...(await signingKey(call)), platform: platformUrl(call.env) }
}

/** The same for whoever has looked the key up already. */
export async function signWith({ kid, key, platform }: Signer, claims: AccessClaims, lifetimeSeconds: number): Promise<string> {
  const { sub, kind, tenant, permissions, sid, issuedAt = new Date() } = claims
  const issued = issuedAt.getTime() / 1000
  const token = await new SignJWT({ kind, tenant, permissions, ...(sid === undefined ? {} : { sid }) })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid })
    .setIssuer(platform)
    .setAudience(platform)
    .setSubject(sub)
    .setIssuedAt(issued)
    .setNotBefore(Math.floor(issued))
    .setExpirationTime(Math.floor(issued) + lifetimeSeconds)
    .setJti(generateId('jti'))
    .sign(key)
  if (token.length > LONGEST_TOKEN) throw new ServiceError('FORBIDDEN', 'Your roles permit so many different things that no access token holds them')
  return token
}

/** Who issues access tokens, and for whom they are. UNAVAILABLE where the configuration does not say. */
export function platformUrl({ PLATFORM_URL }: Pick<Env, 'PLATFORM_URL'>): string {
  if (!PLATFORM_URL) throw new ServiceError('UNAVAILABLE', `Nobody can be signed in: ${NO_URL}`)
  return PLATFORM_URL
}

/** Whether anybody can be signed in at all, for `health`. */
export function sessionsHealth(env: Pick<Env, 'PLATFORM_URL' | 'JWT_SIGNING_KEY'>): Pick<HealthCheck, 'status' | 'message'> {
  const missing = missingForSealing(env) ?? (env.PLATFORM_URL ? undefined : NO_URL)
  return missing ? { status: 'degraded', message: `Nobody can be signed in: ${missing}` } : { status: 'ok' }
}

const NO_URL = 'the variable PLATFORM_URL is empty'
