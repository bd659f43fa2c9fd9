import { CloudflareError } from '../errors.ts'

/** Paging as Cloudflare tells it. */
export interface ResultInfo {
  page: number
  per_page: number
  count: number
  total_count: number
  total_pages: number
}

/** A page of a list. */
export interface Page<Item> {
  items: Item[]
  resultInfo: ResultInfo
}

/** How many entries one page has at most. */
const MOST_PER_PAGE = 1000

/** An answer in Cloudflare's envelope. */
export function succeed(result: unknown, { status = 200, resultInfo }: { status?: number; resultInfo?: ResultInfo } = {}): Response {
  const info = resultInfo && { result_info: resultInfo }
  return Response.json({ success: true, errors: [], messages: [], result, ...info }, { status })
}

/** A page of a list, as the whole answer. */
export function succeedWithPage({ items, resultInfo }: Page<unknown>): Response {
  return succeed(items, { resultInfo })
}

/** A refusal in Cloudflare's envelope. What is no CloudflareError becomes 500 and keeps its text to itself. */
export function fail(error: unknown, headers: Record<string, string> = {}): Response {
  const known = error instanceof CloudflareError ? error : new CloudflareError(500, 10_013, 'workers.api.error.unknown')
  const { status, code, message } = known
  return Response.json({ success: false, errors: [{ code, message }], messages: [], result: null }, { status, headers })
}

/** The part of a list that `page` and `per_page` ask for; without them, as much as one page can hold. */
export function pageOf<Item>(items: readonly Item[], { searchParams }: URL): Page<Item> {
  const page = numberIn(searchParams, 'page', 1)
  const perPage = Math.min(numberIn(searchParams, 'per_page', MOST_PER_PAGE), MOST_PER_PAGE)
  const shown = items.slice((page - 1) * perPage, page * perPage)
  const total = items.length
  return { items: shown, resultInfo: { page, per_page: perPage, count: shown.length, total_count: total, total_pages: Math.ceil(total / perPage) } }
}

function numberIn(query: URLSearchParams, name: string, otherwise: number): number {
  const text = query.get(name)
  if (text === null) return otherwise
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new CloudflareError(400, 10_001, `${name} must be a whole number from 1`)
}
