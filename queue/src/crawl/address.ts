import { encodeBase64url } from '@dot-do/worker-utils/base64url'

/** The longest id of a thing, in bytes. */
const LONGEST_ID = 512

/** A URL as it is visited: what follows `#` is for browsers alone. Undefined for what is not crawled at all. */
export function pageUrl(text: string, base: URL): URL | undefined {
  const url = URL.parse(text, base.href)
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) return undefined
  url.hash = ''
  url.username = ''
  url.password = ''
  return url
}

/** Whether two URLs are of one website. Going from http to https or to `www.`, as many begin, is no change of it. */
export function isSameSite(one: URL, other: URL): boolean {
  return withoutWww(one.hostname) === withoutWww(other.hostname) && one.port === other.port
}

function withoutWww(hostname: string): string {
  return hostname.replace(/^www\./, '')
}

/**
 * The id of the thing that a page is: `page/<host>/<path>`. What an id cannot hold stands as `~` and its bytes in hexadecimal, a query at the end too. A path with
 * a slash at its end is the same page as without. Of an id that would be too long, the end is a hash of the whole.
 */
export async function pageId({ host, pathname, search }: URL): Promise<string> {
  const segments = pathname.split('/').filter((segment) => segment !== '')
  const path = ['page', host, ...segments].map((segment) => escaped(decoded(segment))).join('/')
  const id = `${path}${escaped(search)}`
  if (id.length <= LONGEST_ID) return id
  const hash = encodeBase64url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(id))))
  return `${id.slice(0, LONGEST_ID - hash.length - 1).replace(/[/.~]+$/, '')}~${hash}`
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

/** A segment that is nothing but dots would be read as a way up. */
function escaped(text: string): string {
  const isDots = /^\.+$/.test(text)
  return text.replaceAll(isDots ? /./g : /[^A-Za-z0-9._-]/gu, (character) =>
    [...new TextEncoder().encode(character)].map((byte) => `~${byte.toString(16).padStart(2, '0')}`).join(''),
  )
}
