import { BoundedCache, ServiceError } from '@dot-do/worker-utils'
import type { Env } from '../env.ts'
import { mergedDocument } from '../merged-document.ts'
import type { ApiDocument } from './document.ts'
import { referencePage } from './page.ts'
import { SCRIPT } from './script.ts'
import { STYLE } from './style.ts'

interface Page {
  html: string
  etag: string
}

/** Pages by host and service: a page names the host it was asked at, which is whatever a client says it is. */
const pages = new BoundedCache<string, Page>({ maxEntries: 8, ttlMs: 60_000 })

/** Which service's page a path of the gateway's own asks for, null for that of all; undefined when it asks for none. */
export function referencePath(path: string): string | null | undefined {
  const found = /^\/docs(?:\/([a-z0-9-]+))?$/.exec(path)
  return found ? (found[1] ?? null) : undefined
}

/** Answers `GET /docs` and `GET /docs/<service>`: the reference of what the services promise, as a page. */
export async function answerReference(service: string | null, { request, url }: { request: Request; url: URL }, env: Env): Promise<Response> {
  const place = `${url.origin} ${service}`
  const page = pages.get(place) ?? (await makePage(service, url.origin, env))
  pages.set(place, page)
  const headers = {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': await policy(),
    'Cache-Control': 'public, max-age=60',
    ETag: page.etag,
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
  }
  const known = request.headers.get('If-None-Match')?.split(/, */) ?? []
  if (known.some((etag) => etag === '*' || etag.replace(/^W\//, '') === page.etag)) return new Response(null, { status: 304, headers })
  return new Response(request.method === 'HEAD' ? null : page.html, { headers })
}

async function makePage(service: string | null, origin: string, env: Env): Promise<Page> {
  const document = (await mergedDocument(env)) as unknown as ApiDocument // what `pnpm generate` wrote of each contract, merged
  if (service !== null && !document.tags.some(({ name }) => name === service)) throw new ServiceError('NOT_FOUND', `No service ${service}; /docs has all`)
  const html = referencePage(document, { origin, service: service ?? undefined })
  return { html, etag: `"${(await digest(html)).slice(0, 27)}"` }
}

/** Lets nothing run and nothing be loaded but our own style and script, which are in the page; so nothing that an answer might smuggle in does either. */
async function policy(): Promise<string> {
  const [style, script] = await Promise.all([digest(STYLE), digest(SCRIPT)])
  return `default-src 'none'; style-src 'sha256-${style}'; script-src 'sha256-${script}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`
}

async function digest(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return btoa(String.fromCharCode(...new Uint8Array(bytes)))
}
