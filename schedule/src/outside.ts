import { ServiceError } from '@dot-do/worker-utils'
import { isPrivateHost } from '@dot-do/worker-utils/private-host'
import type { Target } from './target.ts'

/** As many redirects are followed. */
const MAX_REDIRECTS = 5

/** So much of an answer is kept, in bytes. */
const KEPT_BYTES = 16_384

/** Headers that are for the origin they were sent to; any that somebody chose may be a secret. */
const GENERAL_HEADERS = ['accept', 'accept-language', 'content-type', 'user-agent', 'idempotency-key', 'traceparent']

/** Headers that tell of a body. */
const OF_BODY = ['content-type', 'content-length', 'content-encoding', 'content-language', 'content-location']

/** What a request came back with. */
export interface OutsideAnswer {
  status: number
  /** The first 16 KiB, as text. */
  body: string
  truncated: boolean
}

/**
 * Sends a task's request, and follows redirects by hand: to public hosts only. UPSTREAM for whoever does not answer, and for any answer that is no success.
 * Where a public name leads is looked up by the network: the flag global_fetch_strictly_public of wrangler.jsonc keeps it from anything that is not everybody's.
 */
export async function askOutside(target: Extract<Target, { kind: 'http' }>, given: Record<string, string>, signal: AbortSignal): Promise<OutsideAnswer> {
  const headers = new Headers(target.headers)
  for (const [name, value] of Object.entries(given)) headers.set(name, value)
  let next = new Request(target.url, { method: target.method, headers, body: target.body ?? null, redirect: 'manual', signal })
  let body = target.body ?? null
  for (let redirects = 0; ; redirects++) {
    const answer = await answerOf(next)
    const location = redirectOf(answer, next.url)
    if (!location) return kept(answer, next.url)
    await answer.body?.cancel()
    if (redirects === MAX_REDIRECTS) throw new ServiceError('UPSTREAM', `${new URL(target.url).host} redirects more than ${MAX_REDIRECTS} times`)
    const following = redirected(next, { location, status: answer.status, body, signal })
    body = following.body
    next = following.request
  }
}

async function answerOf(request: Request): Promise<Response> {
  const { protocol, hostname, host } = new URL(request.url)
  if (protocol !== 'http:' && protocol !== 'https:') throw new ServiceError('FORBIDDEN', `A task asks by http and https, not by ${protocol.slice(0, -1)}`)
  if (isPrivateHost(hostname)) throw new ServiceError('FORBIDDEN', `${hostname} is a private address; tasks ask public hosts only`)
  try {
    return await fetch(request)
  } catch (cause) {
    throw new ServiceError('UPSTREAM', `${host} cannot be reached`, { cause })
  }
}

function redirectOf({ status, headers }: Response, base: string): URL | null {
  const location = headers.get('Location')
  return [301, 302, 303, 307, 308].includes(status) && location !== null ? URL.parse(location, base) : null
}

/** As the Fetch Standard has it (§ 4.4, HTTP-redirect fetch), but headers that somebody chose stay with the origin they were chosen for. */
function redirected(from: Request, to: { location: URL; status: number; body: string | null; signal: AbortSignal }): { request: Request; body: string | null } {
  const { location, status, signal } = to
  const becomesGet = status === 303 ? from.method !== 'HEAD' : status < 303 && from.method === 'POST'
  const headers = new Headers(from.headers)
  if (becomesGet) for (const name of OF_BODY) headers.delete(name)
  if (location.origin !== new URL(from.url).origin) for (const name of Array.from(headers.keys())) if (!GENERAL_HEADERS.includes(name)) headers.delete(name)
  const body = becomesGet ? null : to.body
  return { request: new Request(location, { method: becomesGet ? 'GET' : from.method, headers, body, redirect: 'manual', signal }), body }
}

async function kept(answer: Response, url: string): Promise<OutsideAnswer> {
  const { body, truncated } = await beginning(answer)
  if (answer.ok) return { status: answer.status, body, truncated }
  throw new ServiceError('UPSTREAM', `${new URL(url).host} answered ${answer.status}`, {
    cause: { status: answer.status, body, truncated } satisfies OutsideAnswer,
  })
}

/** The first bytes of an answer; what follows is not read. */
async function beginning({ body }: Response): Promise<{ body: string; truncated: boolean }> {
  if (!body) return { body: '', truncated: false }
  const bytes = new Uint8Array(KEPT_BYTES)
  let size = 0
  const reader = body.getReader()
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    bytes.set(read.value.subarray(0, KEPT_BYTES - Math.min(size, KEPT_BYTES)), Math.min(size, KEPT_BYTES))
    size += read.value.length
    if (size > KEPT_BYTES) break
  }
  await reader.cancel()
  // PostgreSQL's JSON cannot hold the character 0.
  const text = new TextDecoder().decode(bytes.subarray(0, Math.min(size, KEPT_BYTES))).replaceAll('\0', '\uFFFD')
  return { body: text, truncated: size > KEPT_BYTES }
}
