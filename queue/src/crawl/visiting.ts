import { ServiceError } from '@dot-do/worker-utils'
import { isPrivateHost } from '@dot-do/worker-utils/private-host'

/** What came of asking for a URL. */
export interface Visited {
  /** Where the answer came from in the end. */
  url: URL
  status: number
  contentType: string
  body: Uint8Array<ArrayBuffer>
}

/** What a website knows the crawler by; what robots.txt may name is the part before the slash. */
export const USER_AGENT = 'dotdo-crawler/1.0'

/** How long one URL may take with its redirects and its body. */
const TIMEOUT_MS = 15_000

/** How many redirects are followed; RFC 9309 asks for five of robots.txt. */
const MAX_REDIRECTS = 5

const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308]

/** What one visit is allowed. */
export interface VisitLimits {
  maxBytes: number
  /** Whether a redirect may lead there; it is checked for private addresses besides. */
  mayFollow(url: URL): boolean
}

/**
 * Gets a URL of the public internet. Redirects are followed by hand, each checked as the first. FORBIDDEN for what is no public address or may not be followed,
 * TOO_LARGE for a body past the limit, UPSTREAM where nothing answers in time. Where a public name leads is looked up by the network: Cloudflare's reaches no
 * private address, and the flag global_fetch_strictly_public keeps the platform's own zone no nearer than anybody is.
 */
export async function visit(start: URL, { maxBytes, mayFollow }: VisitLimits): Promise<Visited> {
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(), TIMEOUT_MS)
  try {
    let url = start
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      refusePrivate(url)
      const answer = await fetch(url, { redirect: 'manual', signal: late.signal, headers: { 'User-Agent': USER_AGENT, Accept: 'text/html, text/plain;q=0.9' } })
      const next = redirected(url, answer)
      if (!next) return { url, status: answer.status, contentType: answer.headers.get('Content-Type') ?? '', body: await bodyOf(answer, maxBytes) }
      await answer.body?.cancel()
      if (!mayFollow(next)) throw new ServiceError('FORBIDDEN', `leads to ${next.host}`)
      url = next
    }
    throw new ServiceError('UPSTREAM', `redirects more than ${MAX_REDIRECTS} times`)
  } catch (thrown) {
    if (thrown instanceof ServiceError) throw thrown
    throw new ServiceError('UPSTREAM', late.signal.aborted ? `did not answer within ${TIMEOUT_MS / 1000} s` : 'cannot be reached', { cause: thrown })
  } finally {
    clearTimeout(timer)
  }
}

/** Throws FORBIDDEN for what is not asked for by http and https at a public host, without a password. */
export function refusePrivate({ protocol, hostname, username, password }: URL): void {
  if (protocol !== 'http:' && protocol !== 'https:') throw new ServiceError('FORBIDDEN', `${protocol.slice(0, -1)} is not crawled`)
  if (isPrivateHost(hostname)) throw new ServiceError('FORBIDDEN', `${hostname} is a private address`)
  if (username !== '' || password !== '') throw new ServiceError('FORBIDDEN', 'a URL with a password is not crawled')
}

function redirected(url: URL, { status, headers }: Response): URL | undefined {
  const location = REDIRECTS.includes(status) ? headers.get('Location') : null
  return location === null ? undefined : (URL.parse(location, url.href) ?? undefined)
}

async function bodyOf(answer: Response, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array<ArrayBuffer>[] = []
  let sizeBytes = 0
  for await (const chunk of answer.body ?? []) {
    sizeBytes += chunk.byteLength
    if (sizeBytes > maxBytes) throw new ServiceError('TOO_LARGE', `is larger than ${Math.floor(maxBytes / 1024)} KiB`)
    chunks.push(chunk)
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer())
}
