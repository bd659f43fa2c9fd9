import { Markup, markup } from '@dot-do/worker-utils'

/** What the page tells: that nothing is there yet, that an address was taken down, or that it was none. */
export type WaitlistState = 'empty' | 'joined' | 'invalid'

const STATUS = { empty: 404, joined: 200, invalid: 400 } as const

const STYLE = `
:root{color-scheme:light dark;--back:#fbfbfa;--ink:#1b1f24;--soft:#5c6470;--line:#d9dce1;--field:#fff;--accent:#3451b2;--on:#fff;--wrong:#a8323a}
@media(prefers-color-scheme:dark){:root{--back:#111316;--ink:#e6e8eb;--soft:#98a1ad;--line:#30353c;--field:#181b1f;--accent:#9db2ff;--on:#0f1220;--wrong:#f09a9a}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:3rem 1.5rem;background:var(--back);color:var(--ink);font:1.0625rem/1.6 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;-webkit-text-size-adjust:100%}
main{width:100%;max-width:32rem}
h1{margin:0 0 1rem;font-size:clamp(1.75rem,6vw,2.5rem);line-height:1.15;letter-spacing:-.025em;font-weight:650;text-wrap:balance;overflow-wrap:anywhere}
p{margin:0 0 2rem;color:var(--soft);text-wrap:pretty}
form{display:flex;flex-wrap:wrap;gap:.625rem}
label{flex:1 0 100%;font-size:.875rem;font-weight:600}
input,button{height:3rem;border-radius:.625rem;font:inherit}
input{flex:1 1 14rem;min-width:0;padding:0 .875rem;border:1px solid var(--line);background:var(--field);color:inherit}
button{padding:0 1.375rem;border:0;background:var(--accent);color:var(--on);font-weight:600;cursor:pointer}
button:hover{filter:brightness(1.08)}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.wrong{flex:1 0 100%;margin:0;color:var(--wrong);font-size:.875rem}
`

/** The page for people where nothing is yet: it says so, and takes an address to write to. It works without a script, and none may run. */
export async function waitlistPage(host: string, state: WaitlistState, { method, email = '' }: { method: string; email?: string }): Promise<Response> {
  const headers = {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': await policy(),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
  }
  return new Response(method === 'HEAD' ? null : pageOf(host, state, email), { status: STATUS[state], headers })
}

function pageOf(host: string, state: WaitlistState, email: string): string {
  const title = state === 'joined' ? 'You are on the list' : 'Nothing is here yet'
  return markup`<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="robots" content="noindex"><title>${title}: ${host}</title><link rel="icon" href="data:,"><style>${new Markup(STYLE)}</style></head>
<body><main><h1>${title}</h1>${state === 'joined' ? thanks(host) : question(host, state, email)}</main></body></html>`.text
}

function thanks(host: string): Markup {
  return markup`<p role="status">We will write to you when there is something at <b>${host}</b>.</p>`
}

function question(host: string, state: WaitlistState, email: string): Markup {
  const isWrong = state === 'invalid'
  return markup`<p>Nobody has published anything at <b>${host}</b>. Leave your address, and we will tell you when somebody does.</p>
<form method="post" action="/waitlist"><label for="email">E-mail address</label>
<input id="email" name="email" type="email" autocomplete="email" maxlength="254" required value="${email}"${isWrong && markup` aria-invalid="true" aria-describedby="wrong"`}>
<button>Tell me</button>${isWrong && markup`<p class="wrong" id="wrong" role="alert">This does not read like an e-mail address.</p>`}</form>`
}

/** Lets nothing run and nothing be loaded but the style in the page, which is known by its hash; the form goes nowhere else. */
async function policy(): Promise<string> {
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(STYLE))
  const style = btoa(String.fromCharCode(...new Uint8Array(bytes)))
  return `default-src 'none'; style-src 'sha256-${style}'; img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'`
}
