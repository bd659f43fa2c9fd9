import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { cache, matchesEtag } from '../src/cache.ts'
import { requestId } from '../src/request-id.ts'

/** A Cache API of two methods, in memory. */
function memoryStore() {
  const kept = new Map<string, Response>()
  return {
    kept,
    match: async (request: Request) => kept.get(request.url)?.clone(),
    put: async (request: Request, response: Response) => void kept.set(request.url, response),
  }
}

function cached(answer: (count: number) => Response = (count) => new Response(`answer ${count}`)) {
  const store = memoryStore()
  let count = 0
  const app = new Hono()
  app.use(requestId(), cache({ maxAgeSeconds: 60, store }))
  app.all('/', () => answer(++count))
  return { app, store, count: () => count }
}

describe('cache', () => {
  it('answers a public read the second time without asking', async () => {
    const { app, count } = cached()

    const first = await app.request('/')
    const second = await app.request('/')

    expect(await first.text()).toBe('answer 1')
    expect(await second.text()).toBe('answer 1')
    expect(second.headers.get('Cache-Control')).toBe('public, max-age=60')
    expect(second.headers.get('ETag')).toBe(first.headers.get('ETag'))
    expect(count()).toBe(1)
  })

  it.each([{ Authorization: 'Bearer a' }, { 'X-API-Key': 'a' }, { Cookie: 'a=b' }, { 'x-dotdo-call': '{}' }])(
    'neither keeps nor looks up for a request with %j',
    async (headers) => {
      const { app, store, count } = cached()
      const init = { headers: new Headers(Object.entries(headers)) }

      const answer = await app.request('/', init)
      await app.request('/')
      const again = await app.request('/', init)

      expect(answer.headers.get('Cache-Control')).toBe('private, no-store')
      expect(await again.text()).toBe('answer 3')
      expect([store.kept.size, count()]).toEqual([1, 3])
    },
  )

  it('overrules an answer to a credential that calls itself public', async () => {
    const { app } = cached(() => new Response('mine', { headers: { 'Cache-Control': 'public, max-age=60' } }))

    const answer = await app.request('/', { headers: { Authorization: 'Bearer a' } })

    expect(answer.headers.get('Cache-Control')).toBe('private, no-store')
  })

  it.each([
    ['a cookie', () => new Response('x', { headers: { 'Set-Cookie': 'a=b' } })],
    ['a failure', () => new Response('x', { status: 404 })],
    ['a redirect', () => new Response(null, { status: 301, headers: { Location: '/' } })],
    ['a refusal to be kept', () => new Response('x', { headers: { 'Cache-Control': 'private' } })],
    ['a stream of events', () => new Response('x', { headers: { 'Content-Type': 'text/event-stream' } })],
    ['a dependence on the asker', () => new Response('x', { headers: { Vary: 'Accept-Language' } })],
  ])('does not keep an answer with %s', async (_, answer) => {
    const { app, store } = cached(answer)

    const given = await app.request('/')

    expect(store.kept.size).toBe(0)
    expect(given.headers.get('Cache-Control')).toMatch(/private/)
  })

  it.each(['POST', 'PUT', 'DELETE', 'HEAD'])('does not keep an answer to %s', async (method) => {
    const { app, store } = cached()

    await app.request('/', { method })

    expect(store.kept.size).toBe(0)
  })

  it('does not hand on headers meant for the first asker', async () => {
    const { app } = cached(
      () =>
        new Response('x', {
          headers: { Vary: 'Origin', 'Access-Control-Allow-Origin': 'https://a.do', RateLimit: '"a";r=1;t=1', 'Content-Type': 'text/plain' },
        }),
    )

    await app.request('/', { headers: { 'X-Request-ID': 'first' } })
    const second = await app.request('/', { headers: { 'X-Request-ID': 'second' } })

    expect(Object.fromEntries(second.headers)).toEqual({
      'cache-control': 'public, max-age=60',
      'content-type': 'text/plain',
      etag: expect.any(String),
      'x-request-id': 'second',
    })
  })

  it('answers 304 without a body to who has it already', async () => {
    const { app } = cached(() => new Response('same'))
    const etag = (await app.request('/')).headers.get('ETag') ?? ''

    const answer = await app.request('/', { headers: { 'If-None-Match': `"other", W/${etag}` } })

    expect([answer.status, await answer.text(), answer.headers.get('ETag')]).toEqual([304, '', etag])
  })

  it('gives ETag and Cache-Control also where nothing can be kept', async () => {
    const app = new Hono()
    app.use(cache({ maxAgeSeconds: 5 }))
    app.get('/', (c) => c.text('x'))

    const answer = await app.request('/')

    expect([answer.headers.get('Cache-Control'), answer.headers.get('ETag')]).toEqual(['public, max-age=5', expect.stringMatching(/^"[\w-]{27}"$/)])
  })
})

describe('matchesEtag', () => {
  it.each([
    [null, '"a"', false],
    ['"a"', '"a"', true],
    ['W/"a"', '"a"', true],
    ['"b", "a"', 'W/"a"', true],
    ['*', '"a"', true],
    ['"b"', '"a"', false],
  ])('%j names %s: %s', (ifNoneMatch, etag, answer) => {
    expect(matchesEtag(ifNoneMatch, etag)).toBe(answer)
  })
})
