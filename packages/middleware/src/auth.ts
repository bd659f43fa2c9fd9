import type { Principal } from '@dot-do/worker-types'
import { ServiceError } from '@dot-do/worker-utils'
import { createMiddleware } from 'hono/factory'

/** What a request offers as proof of who sent it, unchecked. */
export interface Credential {
  scheme: 'bearer' | 'key' | 'cookie'
  token: string
}

/** What `auth` puts into the context. */
export interface AuthVariables {
  principal: Principal
}

/** How credentials are checked, and whether one must be there. */
export interface AuthOptions {
  /** Undefined for a credential that is not in force. */
  verify: (token: string, scheme: 'bearer' | 'key') => Promise<Principal | undefined>
  /** True unless told: without a credential the answer is 401. */
  required?: boolean
}

/** The cookie a session lives in. By its prefix a browser keeps it to https and to the very host that set it. */
export const SESSION_COOKIE = '__Host-session'

const ANONYMOUS: Principal = { id: 'anonymous', kind: 'anonymous', tenant: 'default', permissions: [] }

/** Finds the credential: `Authorization: Bearer`, else `X-API-Key`, else the session cookie. An empty one is still one, and will be refused. */
export function readCredential(headers: Headers): Credential | undefined {
  const bearer = /^Bearer(?: +(.*))?$/i.exec(headers.get('Authorization') ?? '')
  if (bearer) return { scheme: 'bearer', token: bearer[1] ?? '' }
  const key = headers.get('X-API-Key')
  if (key !== null) return { scheme: 'key', token: key }
  const token = readCookie(headers.get('Cookie') ?? '', SESSION_COOKIE)
  return token === undefined ? undefined : { scheme: 'cookie', token }
}

/**
 * Finds out who asks, as `c.var.principal`. A credential that does not hold is 401 even where none is required.
 *
 * Cookies are not looked at: a foreign page can make a browser send them, so whoever accepts them guards against that first.
 */
export function auth({ verify, required = true }: AuthOptions) {
  return createMiddleware<{ Variables: AuthVariables }>(async (c, next) => {
    c.set('principal', await principalOf(readCredential(c.req.raw.headers), verify, required))
    await next()
  })
}

async function principalOf(credential: Credential | undefined, verify: AuthOptions['verify'], required: boolean): Promise<Principal> {
  if (!credential || credential.scheme === 'cookie') {
    if (required) throw new ServiceError('UNAUTHENTICATED', 'This needs a credential: Authorization: Bearer or X-API-Key')
    return ANONYMOUS
  }
  const principal = await verify(credential.token, credential.scheme)
  if (!principal) throw new ServiceError('UNAUTHENTICATED', 'The credential is not in force')
  return principal
}

function readCookie(header: string, name: string): string | undefined {
  for (const pair of header.split(';')) {
    const cookie = pair.trim()
    if (cookie.startsWith(`${name}=`)) return cookie.slice(name.length + 1)
  }
  return undefined
}
