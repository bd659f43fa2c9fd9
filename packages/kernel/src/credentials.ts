import type { Auth } from '@dot-do/worker-contracts/auth'
import type { CallOptions, Principal } from '@dot-do/worker-types'
import { BoundedCache, parseApiKey, ServiceError } from '@dot-do/worker-utils'
import type { Credential } from '@dot-do/worker-middleware/auth'

/** What an env holds where bare credentials can be checked. */
export interface HasAuth {
  AUTH_SERVICE?: Pick<Auth, 'verifyKey'>
  KEY_MODE?: string
}

/** Where a credential was sent from, and the request it came with. */
export interface Sender {
  /** Empty where nobody in front says. */
  address: string
  call: Pick<CallOptions, 'requestId' | 'traceparent'>
}

/** A revoked key is refused everywhere within this time. */
const TTL_MS = 5_000

/** Keys in force, by the key itself: it stays in this isolate's memory, and for five seconds. */
const inForce = new BoundedCache<string, { principal: Principal; expiresAt: number }>({ maxEntries: 10_000, ttlMs: TTL_MS })

/** Whose a credential is. UNAUTHENTICATED, with the reason, if nobody's; a malformed key is refused without asking auth. */
export async function identify({ scheme, token }: Credential, sender: Sender, env: HasAuth): Promise<Principal> {
  const mode = scheme === 'cookie' ? undefined : parseApiKey(token)?.mode
  if (!mode) throw refused('malformed')
  if (mode !== env.KEY_MODE) throw refused('wrong_mode')
  const known = cached(token) ?? cached(`${token} ${sender.address}`)
  return known ?? verify(token, sender, env)
}

function cached(name: string): Principal | undefined {
  const known = inForce.get(name)
  return known && known.expiresAt > Date.now() ? known.principal : undefined
}

async function verify(token: string, { address, call }: Sender, env: HasAuth): Promise<Principal> {
  if (!env.AUTH_SERVICE) throw new ServiceError('UNAVAILABLE', 'Credentials cannot be checked at this door')
  // The five seconds count from before the question, or a revocation that overtakes the answer would live longer.
  const askedAt = Date.now()
  const { principal, reason, addressBound } = await env.AUTH_SERVICE.verifyKey({ key: token, address }, call)
  if (!principal) throw refused(reason ?? 'unknown')
  inForce.set(addressBound ? `${token} ${address}` : token, { principal, expiresAt: askedAt + TTL_MS })
  return principal
}

const REASONS: Record<string, string> = {
  malformed: 'This is not an API key: its form or checksum is wrong',
  unknown: 'This API key is not known',
  revoked: 'This API key was revoked',
  expired: 'This API key has expired',
  wrong_mode: 'This API key belongs to another sort of deployment (live or test)',
  address_refused: 'This API key may not be used from here',
}

function refused(reason: string): ServiceError {
  return new ServiceError('UNAUTHENTICATED', REASONS[reason] ?? 'This credential is not valid')
}
