import { encodeBase64url } from '@dot-do/worker-utils'
import type { Context } from 'hono'
import { createMiddleware } from 'hono/factory'
import { replaceAnswer, setHeaders } from './answer-headers.ts'

/** The two methods of the Cache API that are used. */
export interface ResponseStore {
  match(request: Request): Promise<Response | undefined>
  put(request: Request, response: Response): Promise<void>
}

/** For how long and where answers are kept. */
export interface CacheOptions {
  maxAgeSeconds: number
  /** `caches.default` unless told; where the runtime has none, nothing is kept and only the headers are set. */
  store?: ResponseStore
}

/** `x-dotdo-call` carries an identity between Workers, as the others do from outside. */
const CREDENTIAL_HEADERS = ['Authorization', 'X-API-Key', 'Cookie', 'x-dotdo-call']

/** What describes the content. All else (request ids, limits, CORS) was meant for the one who asked first. */
const KEPT_HEADERS = [
  'Content-Type',
  'Content-Language',
  'Content-Disposition',
  'Content-Location',
  'ETag',
  'Cache-Control',
  'Last-Modified',
  'Expires',
  'Link',
]

/** What a 304 carries (RFC 9110 §15.4.5). */
const NOT_MODIFIED_HEADERS = ['ETag', 'Cache-Control', 'Vary', 'Content-Location', 'Expires']

const SHARED_BY_ALL = /^(?:\s*(?:origin|accept-encoding)\s*(?:,|$))*$/i

/** Whether an answer to this request may be shown to anyone: it is a plain read, and the request says nothing of who asks. */
export function isPublicRead(request: Request): boolean {
  return request.method === 'GET' && !request.headers.has('Range') && CREDENTIAL_HEADERS.every((name) => !request.headers.has(name))
}

/** Whether an answer may be kept: 200, no cookie, not itself against it, not a stream of events, and the same for all who ask. */
export function isKeepable({ status, headers }: Response): boolean {
  return (
    status === 200 &&
    !headers.has('Set-Cookie') &&
    !/\b(?:no-store|no-cache|private)\b/i.test(headers.get('Cache-Control') ?? '') &&
    !/^text\/event-stream\b/i.test(headers.get('Content-Type') ?? '') &&
    SHARED_BY_ALL.test(headers.get('Vary') ?? '')
  )
}

/** A strong entity tag: the same bytes have the same tag on every machine. */
export async function etagOf(bytes: ArrayBuffer): Promise<string> {
  return `"${encodeBase64url(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))).slice(0, 27)}"`
}

/** Whether an `If-None-Match` names the tag, by the weak comparison of RFC 9110 §13.1.2. */
export function matchesEtag(ifNoneMatch: string | null, etag: string): boolean {
  if (ifNoneMatch === null) return false
  const tags = ifNoneMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''))
  return tags.includes('*') || tags.includes(etag.replace(/^W\//, ''))
}

/**
 * Keeps answers to public reads and gives them `ETag` and `Cache-Control`. All other answers, first of all those to a request with any credential, are neither
 * kept nor looked up, and are marked `private, no-store` unless they say as much themselves. Bodies are read whole, so it is not for large files.
 */
export function cache({ maxAgeSeconds, store = defaultStore() }: CacheOptions) {
  return createMiddleware(async (c, next) => {
    if (!isPublicRead(c.req.raw)) {
      await next()
      return forbidKeeping(c)
    }
    const key = new Request(c.req.url)
    const kept = await store?.match(key)
    if (kept) replaceAnswer(c, kept)
    else {
      await next()
      if (!isKeepable(c.res)) return forbidKeeping(c)
      await keep(c, { key, store, maxAgeSeconds })
    }
    if (matchesEtag(c.req.raw.headers.get('If-None-Match'), c.res.headers.get('ETag') ?? '')) replaceAnswer(c, notModified(c.res))
  })
}

function defaultStore(): ResponseStore | undefined {
  return typeof caches === 'undefined' ? undefined : caches.default
}

function forbidKeeping(c: Context): void {
  if (!/\b(?:no-store|private)\b/i.test(c.res.headers.get('Cache-Control') ?? '')) setHeaders(c, [['Cache-Control', 'private, no-store']])
}

async function keep(c: Context, { key, store, maxAgeSeconds }: { key: Request; store: ResponseStore | undefined; maxAgeSeconds: number }): Promise<void> {
  const bytes = await c.res.arrayBuffer()
  const headers = new Headers(c.res.headers)
  if (!headers.has('ETag')) headers.set('ETag', await etagOf(bytes))
  if (!headers.has('Cache-Control')) headers.set('Cache-Control', `public, max-age=${maxAgeSeconds}`)
  headers.delete('Content-Encoding') // the bytes were decoded when they were read
  replaceAnswer(c, new Response(bytes, { headers }))
  if (store) await store.put(key, new Response(bytes, { headers: select(headers, KEPT_HEADERS) }))
}

function notModified({ headers }: Response): Response {
  return new Response(null, { status: 304, headers: select(headers, NOT_MODIFIED_HEADERS) })
}

function select(headers: Headers, names: readonly string[]): [string, string][] {
  return names.flatMap((name) => {
    const value = headers.get(name)
    return value === null ? [] : [[name, value] as [string, string]]
  })
}
