import type { Call } from '@dot-do/worker-kernel/call'
import { ServiceError } from '@dot-do/worker-utils'
import type { Env } from '../env.ts'
import type { Device } from '../sessions/opening.ts'

/** One request to a page of the sign-in. */
export interface LoginVisit {
  request: Request
  url: URL
  env: Env
  call: Call<Env>
  now: Date
}

/** More than any form of ours weighs. */
const FORM_LIMIT_BYTES = 8_192

/** Begins a visit. */
export function loginVisit(request: Request, call: Call<Env>): LoginVisit {
  return { request, url: new URL(request.url), env: call.env, call, now: new Date() }
}

/** Where a visitor is to begin instead, if they came by another of the platform's hosts: the cookies belong to the one that providers send people back to. */
export function properPlace({ url, env }: LoginVisit): string | undefined {
  return url.origin === env.PLATFORM_URL ? undefined : `${env.PLATFORM_URL}/auth${url.pathname}${url.search}`
}

/** FORBIDDEN unless a page of the platform sent the request. Browsers say so in `Origin`, and a foreign page cannot change it. */
export function demandOwnPage({ request, env }: LoginVisit): void {
  const origin = request.headers.get('Origin')
  const isOwn = origin === null ? request.headers.get('Sec-Fetch-Site') === 'same-origin' : origin === env.PLATFORM_URL
  if (!isOwn) throw new ServiceError('FORBIDDEN', 'This is for pages of the platform itself')
}

/** The fields of a posted form. INVALID for anything else, TOO_LARGE before more is read than a form of ours has. */
export async function readFields({ request }: LoginVisit): Promise<Record<string, string>> {
  if (!/^application\/x-www-form-urlencoded\b/i.test(request.headers.get('Content-Type') ?? '')) throw new ServiceError('INVALID', 'Post the form')
  const decoder = new TextDecoder()
  let text = ''
  let sizeBytes = 0
  for await (const chunk of request.body ?? []) {
    sizeBytes += chunk.byteLength
    if (sizeBytes > FORM_LIMIT_BYTES) throw new ServiceError('TOO_LARGE', 'No form of ours is so large')
    text += decoder.decode(chunk, { stream: true })
  }
  return Object.fromEntries(new URLSearchParams(text))
}

/** What is noted of where a session is used: what the browser calls itself, and its address. */
export function deviceOf({ request, call }: LoginVisit): Device {
  const { headers } = request
  return { name: (headers.get('User-Agent') ?? '').slice(0, 255), address: call.address ?? headers.get('CF-Connecting-IP') ?? '' }
}

/** Sends a browser on, with cookies. 303: whatever it posted is not posted again. */
export function redirect(location: string, cookies: string[]): Response {
  const headers = new Headers({ Location: location, 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer' })
  for (const cookie of cookies) headers.append('Set-Cookie', cookie)
  return new Response(null, { status: 303, headers })
}
