import type { ExtraWorker } from '@dot-do/worker-local/host/miniflare-options'

/**
 * What the internet is to published code here: every host tells what reached it, `redirect.example` sends on to where it is asked to, and DNS over HTTPS knows
 * the records that `proof-<token>.…` hosts would have. Hosts below `site.example` have the pages that tests put there, each `{ status, headers, body }` by its URL,
 * and remember who asked for what.
 */
const SOURCE = `
export default {
  async fetch(request) {
    const url = new URL(request.url)
    if ((request.headers.get('x-host') ?? url.hostname) === 'cloudflare-dns.com') return dns(url)
    if (request.method === 'PUT' && url.pathname === '/pages') return putPages(await request.json())
    if (url.searchParams.has('visits')) return Response.json(visits.filter((visit) => new URL(visit.url).hostname === url.searchParams.get('visits')))
    if (url.hostname.endsWith('.site.example')) return page(request)
    if (url.hostname === 'redirect.example') return Response.redirect(url.searchParams.get('to'), 302)
    return Response.json({ url: request.url, method: request.method, headers: Object.fromEntries(request.headers), body: await request.text() })
  },
}

const pages = new Map()
const visits = []

function putPages(more) {
  for (const [url, page] of Object.entries(more)) pages.set(url, page)
  return new Response('kept')
}

function page({ url, headers }) {
  visits.push({ url, agent: headers.get('user-agent') })
  const found = pages.get(url)
  return new Response(found?.body ?? 'nothing here', { status: found ? (found.status ?? 200) : 404, headers: found?.headers ?? { 'content-type': 'text/html' } })
}

function dns(url) {
  const name = url.searchParams.get('name')
  const records = globalThis.records ??= new Map()
  if (url.searchParams.has('set')) records.set(name, url.searchParams.get('set'))
  const data = records.get(name)
  const Answer = data === undefined ? [] : [{ name, type: 16, TTL: 60, data: '"' + data + '"' }]
  return Response.json({ Status: data === undefined ? 3 : 0, Answer })
}
`

/** The Worker that stands for the internet. */
export const internet: ExtraWorker = { name: 'internet-double', source: SOURCE, listens: true }
