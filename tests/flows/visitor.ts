import { request as send } from 'undici'
import { inject } from 'vitest'
import { nextAddress } from './client.ts'

const platform = inject('platform')

/** What a browser got. */
export interface Seen {
  status: number
  headers: Record<string, string>
  /** Where it is sent on. */
  location: string
  /** The cookies it was told to keep, as they were told. */
  setCookies: string[]
  text: string
}

/** A browser without a window: it keeps cookies and says where its requests come from, as browsers do, and follows nothing by itself. */
export class Visitor {
  readonly jar = new Map<string, string>()
  readonly #address = nextAddress()

  /** Follows a link. */
  get(path: string, headers: Record<string, string> = {}): Promise<Seen> {
    return this.#send('GET', path, { headers: { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', ...headers } })
  }

  /** Posts a form of the platform's own pages, unless the headers say that it is another's. */
  post(path: string, fields: Record<string, string> = {}, headers: Record<string, string> = {}): Promise<Seen> {
    const own = { origin: platform.url, 'sec-fetch-site': 'same-origin', 'content-type': 'application/x-www-form-urlencoded', accept: 'text/html' }
    return this.#send('POST', path, { headers: { ...own, ...headers }, body: new URLSearchParams(fields).toString() })
  }

  /** Asks as a script of the platform's own pages would. */
  async fetch(path: string, body?: unknown): Promise<{ status: number; data: Record<string, unknown>; error: Record<string, unknown> }> {
    const own = { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }
    const json = body === undefined ? {} : { origin: platform.url, 'content-type': 'application/json' }
    const answer = await this.#send(body === undefined ? 'GET' : 'POST', path, {
      headers: { ...own, ...json },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
    return { status: answer.status, ...(JSON.parse(answer.text) as { data: Record<string, unknown>; error: Record<string, unknown> }) }
  }

  async #send(method: 'GET' | 'POST', path: string, { headers, body }: { headers: Record<string, string>; body?: string | undefined }): Promise<Seen> {
    const url = new URL(path, platform.url)
    const cookie = [...this.jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const mine = url.origin === platform.url ? { 'cf-connecting-ip': this.#address, ...(cookie === '' ? {} : { cookie }) } : {}
    const reached = `${url.protocol}//127.0.0.1:${url.port}${url.pathname}${url.search}`
    const answer = await send(reached, { method, headers: { ...headers, ...mine, host: headers['host'] ?? url.host }, body: body ?? null })
    const setCookies = [answer.headers['set-cookie'] ?? []].flat()
    for (const each of setCookies) this.#keep(each)
    return {
      status: answer.statusCode,
      headers: answer.headers as Record<string, string>,
      location: String(answer.headers.location ?? ''),
      setCookies,
      text: await answer.body.text(),
    }
  }

  #keep(cookie: string): void {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
    if (/Max-Age=0/.test(cookie)) this.jar.delete(name)
    else this.jar.set(name, value)
  }
}

/** The token that a page's form carries. */
export function tokenIn({ text }: Pick<Seen, 'text'>): string {
  return /name="token" value="([^"]+)"/.exec(text)?.[1] ?? ''
}

/** The code in the newest mail to somebody. */
export async function codeFor(email: string): Promise<string> {
  const answer = await send(`${platform.mailboxUrl.replace('localhost', '127.0.0.1')}/mails`)
  const mails = (await answer.body.json()) as { to: string[]; subject: string; text: string }[]
  const mail = mails.find(({ to }) => to.includes(email))
  const code = /\b\d{8}\b/.exec(`${mail?.subject}\n${mail?.text}`)?.[0]
  if (code === undefined) throw new Error('No mail with a code has come')
  return code
}

/** Opens the sign-in page, asks for a code and gives it. */
export async function signInByCode(visitor: Visitor, email: string, returnTo = '/docs'): Promise<Seen> {
  const page = await visitor.get(`/auth/login?${new URLSearchParams({ return_to: returnTo })}`)
  const asked = await visitor.post('/auth/login/code', { token: tokenIn(page), email })
  return visitor.post('/auth/login', { token: tokenIn(asked), code: await codeFor(email) })
}

/** Goes to the emulated WorkOS and comes back: the address that it sends the browser to. */
export async function askWorkos(visitor: Visitor, query: Record<string, string> = {}): Promise<string> {
  const away = await visitor.get(`/auth/authorize?${new URLSearchParams({ provider: 'workos', return_to: '/docs', login_hint: 'ada@acme.example', ...query })}`)
  const back = await visitor.get(away.location)
  return back.location
}
