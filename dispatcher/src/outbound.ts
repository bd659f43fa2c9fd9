import { errorAnswer } from '@dot-do/worker-middleware/error-handler'
import { ServiceError } from '@dot-do/worker-utils'
import { isPrivateHost } from '@dot-do/worker-utils/private-host'
import { withoutPlatforms } from './published-http.ts'

/** What the dispatcher says of a call that published code makes: whose it is, and which hosts it may call. */
export interface OutboundParameters {
  tenant: string
  worker: string
  allow: string[]
}

/** How long another host may take to begin its answer, in milliseconds. What follows may take its time: it may be a stream. */
const TIMEOUT_MS = 30_000

/** As many redirects are followed where the caller asked for that. */
const MAX_REDIRECTS = 5

/** Headers that are for the origin they were sent to. */
const CREDENTIALS = ['Authorization', 'Cookie', 'Proxy-Authorization']

/** Headers that tell of a body. */
const OF_BODY = ['Content-Type', 'Content-Length', 'Content-Encoding', 'Content-Language', 'Content-Location']

/** Calls out in the name of published code: to its tenant's list of hosts, and never to a private address, not by a redirect either. */
export async function callOut(request: Request, { worker, allow }: OutboundParameters): Promise<Response> {
  try {
    let next = outer(request)
    for (let redirects = 0; ; redirects++) {
      refuse(new URL(next.url), { worker, allow })
      const answer = await answerOf(next)
      const following = request.redirect === 'follow' ? redirected(next, answer) : undefined
      if (!following) return answer
      if (redirects === MAX_REDIRECTS) throw new ServiceError('UPSTREAM', `${new URL(request.url).host} redirects more than ${MAX_REDIRECTS} times`)
      await answer.body?.cancel()
      next = following
    }
  } catch (thrown) {
    return errorAnswer(thrown)
  }
}

/** Whether a host is in a list of names, of `*.example.com` for all below it, and of `*` for all. */
export function isListed(hostname: string, allow: readonly string[]): boolean {
  const host = hostname.toLowerCase().replace(/\.$/, '')
  return allow.some((pattern) => pattern === '*' || (pattern.startsWith('*.') ? host.endsWith(pattern.slice(1)) : host === pattern))
}

/** Throws FORBIDDEN, with what would help, for whatever published code may not call. */
export function refuse({ protocol, hostname }: URL, { worker, allow }: Pick<OutboundParameters, 'worker' | 'allow'>): void {
  if (protocol !== 'http:' && protocol !== 'https:') throw new ServiceError('FORBIDDEN', `Workers call out by http and https, not by ${protocol.slice(0, -1)}`)
  if (isPrivateHost(hostname)) throw new ServiceError('FORBIDDEN', `${hostname} is a private address; workers call public hosts only`)
  if (isListed(hostname, allow)) return
  throw new ServiceError(
    'FORBIDDEN',
    `${worker} may not call ${hostname}: its tenant's outbound list lacks it. PUT /tenants/<tenant> {"outbound": […]} sets the list`,
  )
}

/** Made from its parts: neither `cf`, which steers Cloudflare's own fetch, nor what only the platform says leaves with it. */
function outer({ url, method, headers, body }: Request): Request {
  return new Request(url, { method, headers: withoutPlatforms(headers), body, redirect: 'manual' })
}

async function answerOf(request: Request): Promise<Response> {
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(), TIMEOUT_MS)
  const { host } = new URL(request.url)
  try {
    return await fetch(request, { signal: late.signal })
  } catch (cause) {
    throw new ServiceError('UPSTREAM', late.signal.aborted ? `${host} did not answer within ${TIMEOUT_MS / 1000} s` : `${host} cannot be reached`, { cause })
  } finally {
    clearTimeout(timer)
  }
}

/** Where an answer sends its caller, as the Fetch Standard has it (§ 4.4, HTTP-redirect fetch); undefined where it does not, and where the body would have to be sent twice. */
function redirected(request: Request, { status, headers }: Response): Request | undefined {
  const location = headers.get('Location')
  const url = [301, 302, 303, 307, 308].includes(status) && location !== null ? URL.parse(location, request.url) : null
  if (!url) return undefined
  const becomesGet = status === 303 ? request.method !== 'HEAD' : status < 303 && request.method === 'POST'
  if (!becomesGet && request.body !== null) return undefined
  const kept = new Headers(request.headers)
  const dropped = becomesGet ? [...OF_BODY] : []
  if (url.origin !== new URL(request.url).origin) dropped.push(...CREDENTIALS)
  for (const name of dropped) kept.delete(name)
  return new Request(url, { method: becomesGet ? 'GET' : request.method, headers: kept, redirect: 'manual' })
}
