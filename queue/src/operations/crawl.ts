import { onward } from '@dot-do/worker-kernel/call'
import { namespaceFor, ServiceError, toServiceError } from '@dot-do/worker-utils'
import { crawl as crawlSite, type CrawledPage } from '../crawl/crawl.ts'
import { pageUrl } from '../crawl/address.ts'
import { refusePrivate } from '../crawl/visiting.ts'
import { jobContextOf } from '../job-context.ts'
import type { Operations } from '../operations.ts'

/** The most characters of a thing’s content. */
const LONGEST_CONTENT = 524_288

export const crawl: Operations['crawl'] = async ({ ns: asked, url, limit, depth }, call) => {
  const ns = namespaceFor(call.principal, asked)
  const start = startOf(url)
  const options = { ...onward(call), onBehalfOf: call.principal }
  const keep = async (page: CrawledPage): Promise<void> => {
    // The same page again is the same thing, of the same version; an idempotency key would be in the way of a page that has changed since.
    await call.env.DB_SERVICE.upsert(thingOf(page, ns), options)
  }
  const context = jobContextOf(call)
  const goOn = async (done: number): Promise<void> => {
    if (context?.isCancelled()) throw new ServiceError('CONFLICT', 'Somebody cancelled it')
    await context?.progress({ done, total: limit })
  }
  return crawlSite({ start, limit, depth }, { keep, goOn })
}

function startOf(text: string): URL {
  try {
    const url = new URL(text)
    refusePrivate(url)
    return pageUrl(text, url) ?? url
  } catch (thrown) {
    const { message } = toServiceError(thrown)
    throw new ServiceError('INVALID', 'The input does not fit', { details: [{ path: 'url', message }] })
  }
}

function thingOf({ id, url, title, description, language, text }: CrawledPage, ns: string) {
  const told = Object.entries({ url, title, description, language }).filter(([, value]) => value !== '')
  const data = Object.fromEntries(told.map(([name, value]) => [name, storable(value)]))
  return { ns, $id: id, $type: 'WebPage', content: storable(text.slice(0, LONGEST_CONTENT)), data }
}

/** A text as PostgreSQL can keep it: without NUL and without half of a character. */
function storable(text: string): string {
  return text.replaceAll('\0', '').toWellFormed()
}
