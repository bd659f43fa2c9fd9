import { toServiceError } from '@dot-do/worker-utils'
import { missingForMail } from '../mail.ts'
import { attemptCookie, newForm, readForm, type FormAttempt } from './attempt.ts'
import { noLoginCookie, sessionCookies } from './cookies.ts'
import type { Ask } from './operations.ts'
import { answerPage, codePage, signedInPage, signInPage } from './page.ts'
import { providersOf } from './providers/configured.ts'
import { returnUrl } from './return-to.ts'
import { demandOwnPage, deviceOf, properPlace, readFields, redirect, type LoginVisit } from './visit.ts'

const STALE = 'This page was open too long, or is not the newest one; please try again.'

/** `GET /login`: the ways to sign in, or who is signed in already. */
export async function showLogin(visit: LoginVisit, ask: Ask): Promise<Response> {
  const elsewhere = properPlace(visit)
  if (elsewhere !== undefined) return redirect(elsewhere, [])
  const { call, env } = visit
  if (call.principal.kind === 'user') {
    const { user, organisation } = await ask('getMe', {}, call)
    if (user && organisation) return answerPage(signedInPage({ email: user.email, organisation: organisation.name }), 200, { env })
  }
  return offer(visit, begunBy(visit), {})
}

/** `POST /login/code`: sends a code to the address in the form, and asks for it. */
export async function sendCode(visit: LoginVisit, ask: Ask): Promise<Response> {
  demandOwnPage(visit)
  const { token = '', email = '' } = await readFields(visit)
  const form = await readForm(visit.request.headers, token, visit)
  if (!form) return offer(visit, begunBy(visit), { wrong: STALE, status: 403 })
  try {
    await ask('sendCode', { email }, visit.call)
  } catch (thrown) {
    const { code, message, status } = toServiceError(thrown)
    return offer(visit, form, { wrong: code === 'INVALID' ? 'This is not an e-mail address.' : message, status, email })
  }
  return askForCode(visit, { ...form, email }, {})
}

/** `POST /login`: signs in by the code in the form, and leads on. */
export async function signIn(visit: LoginVisit, ask: Ask): Promise<Response> {
  demandOwnPage(visit)
  const { token = '', code = '' } = await readFields(visit)
  const { call, now } = visit
  const form = await readForm(visit.request.headers, token, visit)
  if (form?.email === undefined) return offer(visit, begunBy(visit), { wrong: STALE, status: 403 })
  const { email, organisation, returnTo } = form
  try {
    const device = deviceOf(visit).name
    const input = { email, code: code.replace(/\s/g, ''), device, ...(organisation === undefined ? {} : { organisation }) }
    const tokens = await ask('signIn', input, call)
    return redirect(returnTo, [...sessionCookies(tokens, now), noLoginCookie()])
  } catch (thrown) {
    const { code: kind, message, status } = toServiceError(thrown)
    return askForCode(visit, form, { wrong: kind === 'INVALID' ? 'This is not a code.' : message, status })
  }
}

type Begun = Pick<FormAttempt, 'returnTo' | 'organisation'>

/** Where the visitor is to end and as whose member, as the page's address asks. */
function begunBy({ url, env }: LoginVisit): Begun {
  const organisation = url.searchParams.get('organization')?.slice(0, 255)
  return { returnTo: returnUrl(url.searchParams.get('return_to') ?? undefined, env), organisation }
}

interface Answering {
  wrong?: string
  status?: number
  email?: string
}

async function offer({ env, now }: LoginVisit, { returnTo, organisation }: Begun, { wrong, status = 200, email }: Answering): Promise<Response> {
  const form = newForm({ returnTo, organisation })
  const providers = providersOf(env).map(({ name, label }) => ({ label, href: authorizePath(name, form, env) }))
  const page = signInPage({ token: form.token, providers, byCode: missingForMail(env) === undefined, email, wrong })
  return answerPage(page, status, { env, cookies: [await attemptCookie(form, env, now)] })
}

async function askForCode({ env, now }: LoginVisit, about: FormAttempt, { wrong, status = 200 }: Answering): Promise<Response> {
  const { returnTo, organisation, email = '' } = about
  const form = newForm({ returnTo, organisation, email })
  return answerPage(codePage({ token: form.token, email, wrong }), status, { env, cookies: [await attemptCookie(form, env, now)] })
}

function authorizePath(provider: string, { returnTo, organisation }: Begun, { PLATFORM_URL }: Pick<LoginVisit['env'], 'PLATFORM_URL'>): string {
  const place = returnTo.startsWith(`${PLATFORM_URL}/`) ? returnTo.slice(PLATFORM_URL.length) : returnTo
  const query = new URLSearchParams({ provider, return_to: place, ...(organisation === undefined ? {} : { organization: organisation }) })
  return `/auth/authorize?${query}`
}
