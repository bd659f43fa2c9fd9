import { request } from 'undici'
import { beforeEach, describe, expect, inject, it } from 'vitest'
import { ask, makeKey, unique, type Loose } from './client.ts'
import { enqueued, inState } from './jobs.ts'

const { internetUrl } = inject('platform')

interface Page {
  status?: number
  headers?: Record<string, string>
  body?: string
}

let key: string
let host: string

beforeEach(async () => {
  host = `${unique('w')}.site.example`
  key = (await makeKey({ tenant: unique('crawlers'), permissions: ['jobs:write', 'jobs:read', 'things:read', 'things:write'] })).key
})

/** Puts pages on the host of this test, by their paths. */
async function publish(pages: Record<string, Page | string>): Promise<void> {
  const html = (page: Page | string): Page => ({ headers: { 'content-type': 'text/html' }, ...(typeof page === 'string' ? { body: page } : page) })
  const body = Object.fromEntries(Object.entries(pages).map(([path, page]) => [`http://${host}${path}`, html(page)]))
  await request(`${internetUrl}/pages`, { method: 'PUT', body: JSON.stringify(body) })
}

async function visitsOf(name: string): Promise<{ url: string; agent: string }[]> {
  return (await (await request(`${internetUrl}/?visits=${name}`)).body.json()) as { url: string; agent: string }[]
}

/** Crawls, and waits for the end. */
async function crawled(input: Record<string, unknown> = {}): Promise<Loose> {
  const id = await enqueued(key, { type: 'crawl-website', payload: { url: `http://${host}/`, ...input } })
  return inState(key, id, 'completed')
}

/** What a crawl answered, by paths of this test’s host. */
interface Crawled {
  pages: { url: string }[]
  skipped: { url: string; reason: string }[]
}

const resultOf = (job: Loose) => job['result'] as unknown as Crawled
const pathOf = (url: string) => url.slice(`http://${host}`.length)
const pathsOf = (job: Loose) => resultOf(job).pages.map(({ url }) => pathOf(url))
const skippedOf = (job: Loose) => Object.fromEntries(resultOf(job).skipped.map(({ url, reason }) => [pathOf(url), reason]))
const thingOf = (path: string) => ask(`/db/things/page/${host}${path}`, { key })

describe('crawl-website', () => {
  it('keeps the pages of a website as things of whoever asked for it, the nearest first', async () => {
    await publish({
      '/': '<html lang="en"><title>Home &amp; more</title><h1>Welcome</h1><a href="/b">b</a><a href="a/">a</a><a href="https://other.site.example/">other</a></html>',
      '/a/': '<p>Page a</p><a href="/c?x=1#y">c</a>',
      '/b': { headers: { 'content-type': 'text/plain' }, body: 'Page b' },
      '/c?x=1': 'Page c',
    })

    const job = await crawled()
    const home = await thingOf('')

    expect(pathsOf(job)).toEqual(['/', '/b', '/a/', '/c?x=1'])
    expect(job['progress']).toMatchObject({ total: 20 })
    expect(home.data).toMatchObject({
      $type: 'WebPage',
      content: '# Welcome\n\nbaother',
      data: { url: `http://${host}/`, title: 'Home & more', language: 'en' },
      visibility: 'private',
    })
    expect((await thingOf('/a')).data).toMatchObject({ content: 'Page a\n\nc' })
    expect((await thingOf('/c~3fx~3d1')).data).toMatchObject({ content: 'Page c' })
    expect(await visitsOf('other.site.example')).toEqual([])
  })

  it('is as far as its depth and its limit', async () => {
    await publish(Object.fromEntries(Array.from({ length: 6 }, (_, n) => [n === 0 ? '/' : `/${n}`, `<a href="/${n + 1}">next</a>`])))

    const near = await crawled({ depth: 1 })
    const few = await crawled({ depth: 10, limit: 3 })

    expect(pathsOf(near)).toEqual(['/', '/1'])
    expect(pathsOf(few)).toEqual(['/', '/1', '/2'])
  })

  it('asks for nothing that robots.txt forbids, and says who it is', async () => {
    await publish({
      '/robots.txt': { headers: { 'content-type': 'text/plain' }, body: 'User-agent: *\nDisallow: /private\nAllow: /private/open' },
      '/': '<a href="/private/x">x</a><a href="/private/open">open</a><a href="/hidden">hidden</a>',
      '/private/open': 'Open',
      '/private/x': 'Secret',
      '/hidden': '<meta name="robots" content="noindex"><p>Secret</p>',
    })

    const job = await crawled()

    expect(pathsOf(job)).toEqual(['/', '/private/open'])
    expect(skippedOf(job)).toEqual({ '/private/x': 'robots.txt forbids it', '/hidden': 'asks not to be kept' })
    const visits = await visitsOf(host)
    expect(visits.map(({ url }) => new URL(url).pathname)).toEqual(['/robots.txt', '/', '/private/open', '/hidden'])
    expect(new Set(visits.map(({ agent }) => agent))).toEqual(new Set(['dotdo-crawler/1.0']))
    expect((await thingOf('/hidden')).status).toBe(404)
  })

  it('leaves out what is not there, no text, too large, or leads elsewhere, and goes on', async () => {
    await publish({
      '/': ['gone', 'image', 'large', 'away', 'inside', 'secure', 'loop', 'moved'].map((page) => `<a href="/${page}">${page}</a>`).join(''),
      '/image': { headers: { 'content-type': 'image/png' }, body: 'png' },
      '/large': 'x'.repeat(2 * 1_048_576 + 1),
      '/away': { status: 302, headers: { location: 'http://elsewhere.site.example/' } },
      '/inside': { status: 302, headers: { location: 'http://169.254.169.254/latest/meta-data' } },
      '/secure': { status: 302, headers: { location: 'file:///etc/passwd' } },
      '/loop': { status: 302, headers: { location: '/loop' } },
      '/moved': { status: 301, headers: { location: '/there' } },
      '/there': 'Moved',
    })

    const job = await crawled()

    expect(pathsOf(job)).toEqual(['/', '/there'])
    expect(skippedOf(job)).toEqual({
      '/gone': 'answered 404',
      '/image': 'is no page of text',
      '/large': 'is larger than 2048 KiB',
      '/away': 'leads to elsewhere.site.example',
      '/inside': 'leads to 169.254.169.254',
      '/secure': expect.stringMatching(/^leads to/) as string,
      '/loop': 'redirects more than 5 times',
    })
    expect(await visitsOf('elsewhere.site.example')).toEqual([])
  })

  it('writes a page again only when it has changed', async () => {
    await publish({ '/': 'Same', '/changing': 'Before' })
    await crawled()
    await crawled({ url: `http://${host}/changing` })
    await publish({ '/changing': 'After' })

    await crawled()
    await crawled({ url: `http://${host}/changing` })

    expect((await thingOf('')).data).toMatchObject({ version: 1 })
    expect((await thingOf('/changing')).data).toMatchObject({ version: 2, content: 'After' })
  })

  it.each(['http://127.0.0.1/', 'http://[::1]:8787/', 'http://169.254.169.254/', 'http://localhost/', 'http://db.internal/', 'http://2130706433/'])(
    'does not so much as ask %s',
    async (url) => {
      const id = await enqueued(key, { type: 'queue.crawl', payload: { url }, maxAttempts: 1 })

      const job = await inState(key, id, 'dead')

      expect(job['errors']).toMatchObject([{ code: 'INVALID' }])
    },
  )

  it('fails, to be tried again, where the site does not answer for now', async () => {
    await publish({ '/robots.txt': { status: 503 } })
    const id = await enqueued(key, { type: 'crawl-website', payload: { url: `http://${host}/` } })

    const job = await inState(key, id, 'failed')

    expect(job['errors']).toMatchObject([{ code: 'UPSTREAM', message: `${host} answered 503 for robots.txt` }])
  })

  it('is refused to whoever may not write things', async () => {
    const reader = await makeKey({ tenant: unique('readers'), permissions: ['jobs:write', 'things:read'] })

    const { status, error } = await ask('/queue/jobs', { key: reader.key, body: { type: 'crawl-website', payload: { url: `http://${host}/` } } })

    expect([status, error['code']]).toEqual([403, 'FORBIDDEN'])
  })
})
