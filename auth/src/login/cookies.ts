import { ServiceError } from '@dot-do/worker-utils'

/** What a browser keeps of a session, as the two cookies carry it. */
export interface CookieTokens {
  accessToken: string
  /** Seconds. */
  expiresIn: number
  refreshToken: string
  session: { expiresAt: string }
}

/** The access token. The gateway reads it; see SESSION_COOKIE of the middleware. */
export const SESSION = '__Host-session'

/** The refresh token, which nobody but auth is handed. */
export const REFRESH = '__Host-refresh'

/** A sign-in under way, sealed. */
export const LOGIN = '__Host-login'

/**
 * Browsers keep a cookie of this prefix to https, to the very host that set it and to the whole of it, so no other host can plant one
 * (https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#name-the-__host-prefix). Chromium and Firefox take http://localhost for secure.
 * Lax: the redirect back from a provider is a navigation from another site, and must bring them.
 */
const ATTRIBUTES = 'Path=/; HttpOnly; Secure; SameSite=Lax'

/** Browsers drop a larger cookie without a word (draft-ietf-httpbis-rfc6265bis section 5.6). */
const MAX_BYTES = 4_096

/** The cookies of a session: the access token's ends with it, the refresh token's with the session. */
export function sessionCookies({ accessToken, expiresIn, refreshToken, session }: CookieTokens, now: Date): string[] {
  const rest = Math.max(0, Math.floor((Date.parse(session.expiresAt) - now.getTime()) / 1000))
  return [cookie(SESSION, accessToken, expiresIn), cookie(REFRESH, refreshToken, rest)]
}

/** What makes a browser forget its session. */
export function noSessionCookies(): string[] {
  return [cookie(SESSION, '', 0), cookie(REFRESH, '', 0)]
}

/** The cookie of a sign-in under way. */
export function loginCookie(sealed: string, seconds: number): string {
  return cookie(LOGIN, sealed, seconds)
}

/** What makes a browser forget a sign-in under way. */
export function noLoginCookie(): string {
  return cookie(LOGIN, '', 0)
}

/** A cookie's value; undefined where there is none, or several of the name, one of which somebody else may have planted. */
export function readCookie(headers: Headers, name: string): string | undefined {
  const found = (headers.get('Cookie') ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
  return found.length === 1 ? found[0]?.slice(name.length + 1) || undefined : undefined
}

function cookie(name: string, value: string, seconds: number): string {
  if (name.length + value.length > MAX_BYTES) throw new ServiceError('CONFLICT', 'The roles have so many permissions that a browser cannot keep the session')
  return `${name}=${value}; ${ATTRIBUTES}; Max-Age=${seconds}`
}
