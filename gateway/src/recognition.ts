import { identify, recall, type Sender } from '@dot-do/worker-kernel/credentials'
import { isOwnToken } from '@dot-do/worker-middleware/access-token'
import type { Credential } from '@dot-do/worker-middleware/auth'
import { credentialOf } from '@dot-do/worker-middleware/same-origin'
import { parseApiKey, toServiceError, type ServiceError } from '@dot-do/worker-utils'
import type { Env } from './env.ts'
import type { Visit } from './visit.ts'

/** What a request runs in. */
export interface Runtime {
  env: Env
  ctx: ExecutionContext
}

/** Finds out who asks. A credential that does not hold is given back as its refusal until the request is counted, or guessing keys would be free. */
export async function recognise(visit: Visit, { env, ctx }: Runtime): Promise<ServiceError | undefined> {
  const credential = credentialOf(visit.request)
  if (!credential || !isPlatforms(credential, visit)) return undefined
  const sender = senderOf(visit, ctx)
  try {
    visit.principal = recall(credential, sender, env) ?? (await identify(credential, sender, env))
    visit.credential = credential
    visit.headerCredential = credential.scheme !== 'cookie'
    return undefined
  } catch (thrown) {
    const error = toServiceError(thrown)
    return isSigningIn(credential, visit) && error.code === 'UNAUTHENTICATED' ? undefined : error
  }
}

/** Whose session has ended comes with its cookie to where another is begun, or this one refreshed or left. */
function isSigningIn({ scheme }: Credential, { target, operation }: Visit): boolean {
  return scheme === 'cookie' && target?.service === 'auth' && operation === undefined
}

/** Finds out again whether a visitor is who it was, by what was known at most so long ago. */
export async function recogniseAgain(credential: Credential, visit: Visit, { env, ctx, maxAgeMs }: Runtime & { maxAgeMs: number }): Promise<void> {
  await identify(credential, { ...senderOf(visit, ctx), maxAgeMs }, env)
}

/** Whether a text is a key or an access token of the platform's by its form; whether it holds is another matter. */
export function isPlatformCredential(text: string): boolean {
  return parseApiKey(text) !== undefined || isOwnToken(text)
}

/** A published worker may have users, keys and cookies of its own: only what is the platform's by its form is taken for that there. On a host of its own no cookie is. */
function isPlatforms({ scheme, token }: Credential, { target }: Visit): boolean {
  if (!target?.published) return true
  return isPlatformCredential(token) && !(scheme === 'cookie' && target.published === 'host')
}

function senderOf({ address, requestId, traceparent }: Visit, ctx: ExecutionContext): Sender {
  return { address, call: { requestId, traceparent }, waitUntil: (promise) => ctx.waitUntil(promise) }
}
