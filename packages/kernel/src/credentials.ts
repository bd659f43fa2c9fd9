import type { Auth } from '@dot-do/worker-contracts/auth'
import { hasTokenForm } from '@dot-do/worker-middleware/access-token'
import type { Credential } from '@dot-do/worker-middleware/auth'
import { KeyCheck } from '@dot-do/worker-middleware/key-check'
import { TokenCheck, type Asking } from '@dot-do/worker-middleware/token-check'
import type { CallOptions, Principal } from '@dot-do/worker-types'
import { ServiceError } from '@dot-do/worker-utils'

/** What an env holds where bare credentials can be checked. */
export interface HasAuth {
  AUTH_SERVICE?: Pick<Auth, 'verifyKey' | 'tokenVerification'>
  KEY_MODE?: string
}

/** Where a credential was sent from, the request it came with, and how old what is known of it may be. */
export interface Sender extends Pick<Asking, 'waitUntil' | 'maxAgeMs'> {
  /** Empty where nobody in front says. */
  address: string
  call: Pick<CallOptions, 'requestId' | 'traceparent'>
}

const keys = new KeyCheck()
const tokens = new TokenCheck()

/** Whose a credential is, where that is known without waiting for anything. Throws for one that is known not to hold. */
export function recall({ scheme, token }: Credential, sender: Sender, env: HasAuth): Principal | undefined {
  if (scheme !== 'cookie' && token.startsWith('sk_')) return keys.recall(token, sender)
  return scheme === 'key' ? undefined : tokens.recall(token, asking(sender, env))
}

/** Whose a credential is. UNAUTHENTICATED, with the reason, if nobody's; what has the form of neither key nor token is refused without asking auth. */
export async function identify(credential: Credential, sender: Sender, env: HasAuth): Promise<Principal> {
  const { scheme, token } = credential
  const known = recall(credential, sender, env)
  if (known) return known
  if (scheme !== 'key' && hasTokenForm(token)) return tokens.principalOf(token, asking(sender, env))
  const { address, call } = sender
  const ask = () => authOf(env).verifyKey({ key: token, address }, call)
  return keys.principalOf(scheme === 'cookie' ? '' : token, { address, mode: env.KEY_MODE, ask })
}

function asking({ call, waitUntil, maxAgeMs }: Sender, env: HasAuth): Asking {
  return { ask: async () => authOf(env).tokenVerification({}, call), waitUntil, maxAgeMs }
}

function authOf({ AUTH_SERVICE }: HasAuth): NonNullable<HasAuth['AUTH_SERVICE']> {
  if (!AUTH_SERVICE) throw new ServiceError('UNAVAILABLE', 'Credentials cannot be checked at this door')
  return AUTH_SERVICE
}
