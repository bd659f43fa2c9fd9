import { errorAnswer } from '@dot-do/worker-middleware/error-handler'
import { ServiceError, success, toServiceError } from '@dot-do/worker-utils'
import { noLoginCookie, noSessionCookies, readCookie, REFRESH, sessionCookies } from './cookies.ts'
import type { Ask } from './operations.ts'
import { demandOwnPage, redirect, type LoginVisit } from './visit.ts'

/** `POST /session/refresh`: spends the refresh token in the cookie, and sets both cookies anew. The tokens are in the cookies only: no script sees them. */
export async function refresh(visit: LoginVisit, ask: Ask): Promise<Response> {
  demandOwnPage(visit)
  const { request, url, call, now } = visit
  const organisation = url.searchParams.get('organization') ?? undefined
  try {
    const refreshToken = readCookie(request.headers, REFRESH)
    if (refreshToken === undefined) throw new ServiceError('UNAUTHENTICATED', 'This browser is not signed in')
    const tokens = await ask('refreshSession', { refreshToken, ...(organisation === undefined ? {} : { organisation }) }, call)
    const { expiresIn, session, user, organisation: own } = tokens
    return withCookies(Response.json(success({ expiresIn, session, user, organisation: own })), sessionCookies(tokens, now))
  } catch (thrown) {
    const error = toServiceError(thrown)
    // Only a session that has ended is forgotten: what may come right by itself must not sign anybody out.
    return withCookies(errorAnswer(error, call.requestId), error.code === 'UNAUTHENTICATED' ? noSessionCookies() : [])
  }
}

/** `POST /session/logout`: ends the session and makes the browser forget it; a form is led back to the sign-in page. */
export async function logout(visit: LoginVisit, ask: Ask): Promise<Response> {
  demandOwnPage(visit)
  const { request, env } = visit
  await endSession(visit, ask)
  const cookies = [...noSessionCookies(), noLoginCookie()]
  if (request.headers.get('Accept')?.includes('text/html')) return redirect(`${env.PLATFORM_URL}/auth/login`, cookies)
  return withCookies(Response.json(success({ signedIn: false })), cookies)
}

/** By the access token or, where that has expired, by the refresh token, which proves the session as well. A session that has ended is no failure. */
async function endSession({ request, call }: LoginVisit, ask: Ask): Promise<void> {
  try {
    if (call.principal.session !== undefined) return void (await ask('logout', {}, call))
    const refreshToken = readCookie(request.headers, REFRESH)
    if (refreshToken === undefined) return
    const { user, organisation, session } = await ask('refreshSession', { refreshToken }, call)
    const principal = { id: user.id, kind: 'user' as const, tenant: organisation.slug, permissions: [], session: session.id }
    await ask('logout', {}, { ...call, principal })
  } catch (thrown) {
    if (toServiceError(thrown).status >= 500) throw thrown
  }
}

function withCookies(answer: Response, cookies: string[]): Response {
  answer.headers.set('Cache-Control', 'no-store')
  for (const cookie of cookies) answer.headers.append('Set-Cookie', cookie)
  return answer
}
