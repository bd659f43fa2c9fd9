import { ServiceError, toServiceError } from '@dot-do/worker-utils'
import { isSameSite, pageId, pageUrl } from './address.ts'
import { readHtml, readText, type Page } from './page.ts'
import { CLOSED, OPEN, parseRobots, ROBOTS_BYTES, type Robots } from './robots.ts'
import { refusePrivate, USER_AGENT, visit, type Visited } from './visiting.ts'

/** A page as it is kept. */
export interface CrawledPage extends Page {
  url: string
  id: string
}

/** What is crawled, and how far. */
export interface CrawlRequest {
  start: URL
  limit: number
  depth: number
}

/** What a crawl does with what it finds. */
export interface Crawling {
  keep(page: CrawledPage): Promise<void>
  /** Told before each visit how many pages are kept; throws to end the crawl. */
  goOn(kept: number): Promise<void>
}

/** What became of a crawl. */
export interface Crawled {
  pages: { url: string; $id: string }[]
  skipped: { url: string; reason: string }[]
}

interface Place {
  url: URL
  depth: number
}

/** The website: what it asks of crawlers, and the ids of all pages that are known of. */
interface Site {
  start: URL
  robots: Robots
  seen: Set<string>
}

const PAGE_BYTES = 2 * 1_048_576
const MOST_SKIPPED = 100

/** As many pages are asked for to find those that are kept: a site of redirects and images ends, too. */
const VISITS_PER_PAGE = 3

/** As many addresses wait at once; what a page links to beyond is forgotten. */
const MOST_WAITING = 10_000

/** A crawl ends after so long, since what runs it may not run for more than fifteen minutes. */
const LONGEST_MS = 600_000

/**
 * Reads a website from one page on, link by link, the nearest first, one page at a time. Throws UPSTREAM where the site does not answer at all, so that it is
 * tried again.
 */
export async function crawl(request: CrawlRequest, { keep, goOn }: Crawling): Promise<Crawled> {
  const { start, limit, depth } = request
  const crawled: Crawled = { pages: [], skipped: [] }
  const skip = (url: URL | string, reason: string) => crawled.skipped.length < MOST_SKIPPED && crawled.skipped.push({ url: String(url), reason })
  const site: Site = { start, robots: await robotsOf(start), seen: new Set([await pageId(start)]) }
  const waiting: Place[] = [{ url: start, depth: 0 }]
  const until = Date.now() + LONGEST_MS
  for (let visits = 0; visits < limit * VISITS_PER_PAGE && crawled.pages.length < limit && Date.now() < until; visits++) {
    const place = waiting.shift()
    if (!place) break
    await goOn(crawled.pages.length)
    const found = await pageAt(place.url, site).catch((thrown: unknown) => reasonOf(thrown, place, start))
    if (typeof found === 'string') {
      skip(place.url, found)
      continue
    }
    if (found.isHidden) skip(found.url, 'asks not to be kept')
    else crawled.pages.push(await kept(found, keep))
    const isDeepest = place.depth >= depth || waiting.length >= MOST_WAITING
    if (!isDeepest) waiting.push(...(await newLinks(found, site)).map((url) => ({ url, depth: place.depth + 1 })))
  }
  if (Date.now() >= until) for (const { url } of waiting) skip(url, 'there was no time left')
  return crawled
}

async function kept(page: CrawledPage, keep: Crawling['keep']): Promise<{ url: string; $id: string }> {
  await keep(page)
  return { url: page.url, $id: page.id }
}

/** Why a page is left out. Where already the first does not answer, the crawl has failed. */
function reasonOf(thrown: unknown, { url }: Place, start: URL): string {
  const error = toServiceError(thrown)
  if (error.code === 'INTERNAL') throw thrown
  if (url === start && error.transient) throw new ServiceError('UPSTREAM', `${start.host} ${error.message}`, { cause: error.cause })
  return error.message
}

/** Reads one page; what is thrown says why it is left out. */
async function pageAt(url: URL, { start, robots, seen }: Site): Promise<CrawledPage> {
  refusePrivate(url)
  if (!robots.allows(url.pathname + url.search)) throw new ServiceError('FORBIDDEN', 'robots.txt forbids it')
  const mayFollow = (next: URL) => isSameSite(next, start) && robots.allows(next.pathname + next.search)
  const visited = await visit(url, { maxBytes: PAGE_BYTES, mayFollow })
  refuseStatus(visited)
  const id = await pageId(visited.url)
  if (id !== (await pageId(url)) && seen.has(id)) throw new ServiceError('CONFLICT', 'leads to another page of the site')
  seen.add(id)
  const page = await read(visited)
  return { ...page, url: visited.url.href, id }
}

function refuseStatus({ status }: Visited): void {
  if (status === 429 || status >= 500) throw new ServiceError('UPSTREAM', `answered ${status}`)
  if (status !== 200) throw new ServiceError('NOT_FOUND', `answered ${status}`)
}

function read({ contentType, body }: Visited): Promise<Page> {
  const [type = ''] = contentType.toLowerCase().split(';')
  const response = new Response(body, { headers: { 'Content-Type': contentType } })
  if (['text/html', 'application/xhtml+xml'].includes(type.trim())) return readHtml(response)
  if (['text/plain', 'text/markdown'].includes(type.trim())) return readText(response)
  throw new ServiceError('INVALID', 'is no page of text')
}

/** The pages of the site that a page links to and nobody linked to before. */
async function newLinks({ links, url }: CrawledPage, { start, seen }: Site): Promise<URL[]> {
  const found: URL[] = []
  for (const link of links) {
    const next = pageUrl(link, new URL(url))
    if (!next || !isSameSite(next, start)) continue
    const id = await pageId(next)
    if (seen.has(id)) continue
    seen.add(id)
    found.push(next)
  }
  return found
}

/** What the site asks of crawlers. A robots.txt that there is not allows everything; one that cannot be had for now, nothing: that is tried again later. */
async function robotsOf(start: URL): Promise<Robots> {
  refusePrivate(start)
  const { status, body } = await visit(new URL('/robots.txt', start), { maxBytes: ROBOTS_BYTES, mayFollow: () => true }).catch((thrown: unknown) => {
    const { transient, message } = toServiceError(thrown)
    if (transient) throw new ServiceError('UPSTREAM', `robots.txt of ${start.host} ${message}`, { cause: thrown })
    return { status: 599, body: new Uint8Array() }
  })
  if (status === 200) return parseRobots(new TextDecoder().decode(body), USER_AGENT.split('/')[0] ?? '')
  if (status === 429 || status === 503) throw new ServiceError('UPSTREAM', `${start.host} answered ${status} for robots.txt`)
  return status >= 400 && status < 500 ? OPEN : CLOSED
}
