import { log, toServiceError } from '@dot-do/worker-utils'
import { openSession } from '../sessions/opening.ts'
import { attemptCookie, newProviderAttempt, readProviderAttempt, type ProviderAttempt } from './attempt.ts'
import { noLoginCookie, sessionCookies } from './cookies.ts'
import { answerPage, failurePage } from './page.ts'
import { providerNamed } from './providers/configured.ts'
import { Declined } from './providers/provider.ts'
import { returnUrl } from './return-to.ts'
import { deviceOf, properPlace, redirect, type LoginVisit } from './visit.ts'

/** WorkOS's ids are in capitals (`org_01EHWNCE74X7JSDV0X3SZ3KJNY`), so they are never an id or slug of ours. */
const WORKOS_ORGANISATION = /^org_[0-9A-HJKMNP-TV-Z]{26}$/
const WORKOS_CONNECTION = /^conn_[0-9A-Za-z]{1,64}$/

/** `GET /authorize`: sends the browser to a provider, and notes in its cookie what the answer must fit. */
export async function authorize(visit: LoginVisit): Promise<Response> {
  const elsewhere = properPlace(visit)
  if (elsewhere !== undefined) return redirect(elsewhere, [])
  const { url, env, now } = visit
  try {
    const provider = providerNamed(url.searchParams.get('provider') ?? '', env)
    const attempt = newProviderAttempt({
      provider: provider.name,
      returnTo: returnUrl(url.searchParams.get('return_to') ?? undefined, env),
      ...memberOf(visit),
    })
    const location = await provider.begin(attempt, { loginHint: url.searchParams.get('login_hint') ?? undefined })
    return redirect(location, [await attemptCookie(attempt, env, now)])
  } catch (thrown) {
    return failed(visit, thrown)
  }
}

/**
 * `GET /callback`: takes a provider's answer, if this browser began the way that it ends and has not ended it before. The answer belongs to the provider that was
 * asked: another's cannot be told apart by state alone (mix-up, RFC 9700 section 4.4), so its `iss` and its ID token's are compared by the provider's own part.
 */
export async function callback(visit: LoginVisit): Promise<Response> {
  const { request, url, env, call, now } = visit
  const attempt = await readProviderAttempt(request.headers, url.searchParams.get('state') ?? '', visit)
  if (!attempt) return failure(visit, { status: 400, wrong: 'This browser did not begin this sign-in, or has ended it already.' })
  try {
    const proved = await providerNamed(attempt.provider, env).finish(attempt, url)
    const tokens = await openSession(proved, deviceOf(visit), call)
    return redirect(attempt.returnTo, [...sessionCookies(tokens, now), noLoginCookie()])
  } catch (thrown) {
    return failed(visit, thrown)
  }
}

function memberOf({ url }: LoginVisit): Pick<ProviderAttempt, 'organisation' | 'under'> {
  const organisation = url.searchParams.get('organization') ?? undefined
  const connection = url.searchParams.get('connection') ?? undefined
  if (connection !== undefined && WORKOS_CONNECTION.test(connection)) return { under: { connection } }
  if (organisation !== undefined && WORKOS_ORGANISATION.test(organisation)) return { under: { organisation } }
  return { organisation: organisation?.slice(0, 255) }
}

function failed(visit: LoginVisit, thrown: unknown): Promise<Response> {
  if (thrown instanceof Declined) return failure(visit, { status: 403, wrong: DECLINED[thrown.code] ?? 'The provider did not let you in.' })
  const { status, message, code, cause } = toServiceError(thrown)
  // Here nobody else would: what an operation throws is logged by whoever calls it.
  if (status >= 500 || cause !== undefined) log(status >= 500 ? 'error' : 'warn', 'login_failed', { requestId: visit.call.requestId, code, cause })
  return failure(visit, { status, wrong: message })
}

const DECLINED: Record<string, string> = {
  access_denied: 'You did not give your consent, or the provider refused it.',
  login_required: 'The provider asks you to sign in there first.',
}

function failure({ env }: LoginVisit, { status, wrong }: { status: number; wrong: string }): Promise<Response> {
  return answerPage(failurePage({ title: 'Not signed in', wrong }), status, { env, cookies: [noLoginCookie()] })
}
