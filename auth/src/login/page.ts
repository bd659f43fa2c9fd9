import { Markup, markup, type Piece } from '@dot-do/worker-utils'
import type { Env } from '../env.ts'
import { redirectOrigins } from './return-to.ts'
import { STYLE } from './style.ts'

/** What is wrong, if anything is, in a sentence for whoever reads the page. */
interface Wrong {
  wrong?: string | undefined
}

/** What the first page offers. */
export interface Offer extends Wrong {
  token: string
  providers: { label: string; href: string }[]
  /** Whether codes can be sent. */
  byCode: boolean
  email?: string | undefined
}

/** The sign-in page: a button for each provider, and the form that asks for an address to send a code to. */
export function signInPage({ token, providers, byCode, email, wrong }: Offer): Markup {
  const buttons = providers.map(({ label, href }) => markup`<li><a class="button" href="${href}">Continue with ${label}</a></li>`)
  const form = markup`<form method="post" action="/auth/login/code"><input type="hidden" name="token" value="${token}">
<label for="email">E-mail address</label>
<input id="email" name="email" type="email" autocomplete="email" inputmode="email" maxlength="254" required value="${email ?? ''}">
<button>Send me a code</button></form>`
  const nothing = markup`<p class="wrong">Nobody can sign in yet: neither a provider nor mail is configured.</p>`
  return document('Sign in', [
    markup`<h1>Sign in</h1>`,
    wrong === undefined ? markup`<p>To the platform and all that runs on it.</p>` : alert(wrong),
    buttons.length > 0 && markup`<ul>${buttons}</ul>`,
    buttons.length > 0 && byCode && markup`<p class="or">or by e-mail</p>`,
    byCode && form,
    buttons.length === 0 && !byCode && nothing,
  ])
}

/** The page that asks for the code which was sent. */
export function codePage({ token, email, wrong }: Wrong & { token: string; email: string }): Markup {
  return document('Enter the code', [
    markup`<h1>Enter the code</h1>`,
    wrong === undefined ? markup`<p>It is on its way to <b>${email}</b> and holds for ten minutes.</p>` : alert(wrong),
    markup`<form method="post" action="/auth/login"><input type="hidden" name="token" value="${token}">
<label for="code">Code</label>
<input id="code" name="code" autocomplete="one-time-code" inputmode="numeric" maxlength="16" required autofocus>
<button>Sign in</button></form>`,
    markup`<p class="back"><a href="/auth/login">Another address, or a new code</a></p>`,
  ])
}

/** The page of somebody who is signed in. */
export function signedInPage({ email, organisation }: { email: string; organisation: string }): Markup {
  return document('Signed in', [
    markup`<h1>Signed in</h1>`,
    markup`<p>As <b>${email}</b>, in <b>${organisation}</b>.</p>`,
    markup`<form method="post" action="/auth/session/logout"><button>Sign out</button></form>`,
    markup`<p class="back"><a href="/docs">What there is here</a></p>`,
  ])
}

/** The page of a sign-in that ended without one. */
export function failurePage({ title, wrong }: { title: string; wrong: string }): Markup {
  return document(title, [markup`<h1>${title}</h1>`, alert(wrong), markup`<ul><li><a class="button" href="/auth/login">Back to sign-in</a></li></ul>`])
}

/** Answers with a page: never kept, never framed, without scripts, and with links and forms that lead nowhere but where a sign-in leads. */
export async function answerPage(page: Markup, status: number, { env, cookies = [] }: { env: Env; cookies?: string[] }): Promise<Response> {
  const headers = new Headers({
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': await policy(env),
    'Cache-Control': 'no-store',
    // With `no-referrer` a browser would also leave out the origin of a form's post, which is asked for.
    'Referrer-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
    'Cross-Origin-Opener-Policy': 'same-origin',
  })
  for (const cookie of cookies) headers.append('Set-Cookie', cookie)
  return new Response(page.text, { status, headers })
}

/** Browsers hold a form to its policy also where the answer redirects, so the places a sign-in may end at are in it. */
async function policy(env: Env): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(STYLE))
  const style = btoa(String.fromCharCode(...new Uint8Array(digest)))
  const forms = ["'self'", ...redirectOrigins(env)].join(' ')
  return `default-src 'none'; style-src 'sha256-${style}'; img-src data:; base-uri 'none'; form-action ${forms}; frame-ancestors 'none'`
}

function alert(wrong: string): Markup {
  return markup`<p class="wrong" role="alert">${/[.!?]$/.test(wrong) ? wrong : `${wrong}.`}</p>`
}

/** A page of auth's, around its content. */
export function document(title: string, content: Piece[]): Markup {
  return markup`<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="robots" content="noindex"><title>${title}</title><link rel="icon" href="data:,"><style>${new Markup(STYLE)}</style></head><body><main>${content}</main></body></html>`
}
