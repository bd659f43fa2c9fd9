import { readCredential, type Credential } from './auth.ts'

/**
 * The credential that counts for a request. A cookie counts only where the request is known to come from a page of the very origin it goes to, or from somebody
 * who follows a link: a browser sends cookies along whoever made it ask.
 */
export function credentialOf(request: Request): Credential | undefined {
  const credential = readCredential(request.headers)
  return credential?.scheme === 'cookie' && !maySendCookies(request) ? undefined : credential
}

/**
 * Whether a request's cookies are its own will. What changes something, and what opens a WebSocket, must say that it comes from this origin: by `Origin`, which
 * browsers send with both, or by `Sec-Fetch-Site`, which no page can forge. A read must not say that it comes from another, unless somebody goes there.
 */
export function maySendCookies({ method, url, headers }: Request): boolean {
  const site = headers.get('Sec-Fetch-Site')
  const origin = originIn(headers, url)
  const isRead = (method === 'GET' || method === 'HEAD') && !headers.has('Upgrade')
  if (!isRead) return origin !== 'foreign' && (site === null ? origin === 'own' : site === 'same-origin')
  if (origin === 'foreign') return false
  const isNavigation = headers.get('Sec-Fetch-Mode') === 'navigate' && (headers.get('Sec-Fetch-Dest') ?? 'document') === 'document'
  return site === null || site === 'same-origin' || site === 'none' || isNavigation
}

/** `Origin: null`, which a sandboxed frame or a redirect sends, is foreign; so is the same host over another scheme. */
function originIn(headers: Headers, url: string): 'own' | 'foreign' | 'absent' {
  const origin = headers.get('Origin')
  if (origin === null) return 'absent'
  const { protocol, host } = new URL(url)
  return origin === `${protocol}//${headers.get('Host') ?? host}` ? 'own' : 'foreign'
}
