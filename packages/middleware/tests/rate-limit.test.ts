import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { rateLimit, rateLimitHeaders } from '../src/rate-limit.ts'

const decision = { name: 'default', limit: 100, windowSeconds: 60, remaining: 50, resetSeconds: 30, allowed: true }

describe('rateLimitHeaders', () => {
  it('says the policy and what is left, in the new form and the old', () => {
    expect(rateLimitHeaders(decision)).toEqual([
      ['RateLimit-Policy', '"default";q=100;w=60'],
      ['RateLimit', '"default";r=50;t=30'],
      ['X-RateLimit-Limit', '100'],
      ['X-RateLimit-Remaining', '50'],
      ['X-RateLimit-Reset', '30'],
    ])
  })

  it.each([
    [12.1, '13'],
    [0, '1'],
  ])('asks a refused caller to wait whole seconds, at least one: %d', (resetSeconds, wait) => {
    const headers = rateLimitHeaders({ ...decision, remaining: -1, resetSeconds, allowed: false })

    expect(headers).toContainEqual(['Retry-After', wait])
    expect(headers).toContainEqual(['X-RateLimit-Remaining', '0'])
  })
})

describe('rateLimit', () => {
  function limited(limit: number) {
    const taken: [string, number][] = []
    let served = 0
    const app = new Hono()
    const take = async (key: string, cost: number) => {
      taken.push([key, cost])
      return { ...decision, limit, remaining: limit - taken.length, allowed: taken.length <= limit }
    }
    app.use(rateLimit({ take, key: (c) => c.req.header('X-Who') ?? 'nobody', cost: () => 3 }))
    app.get('/', (c) => c.text(String(++served)))
    return { app, taken, served: () => served }
  }

  it('refuses past the limit before anything happens, and says so on every answer', async () => {
    const { app, served } = limited(1)

    const first = await app.request('/')
    const second = await app.request('/')

    expect([first.status, first.headers.get('X-RateLimit-Remaining'), first.headers.has('Retry-After')]).toEqual([200, '0', false])
    expect([second.status, second.headers.get('RateLimit'), second.headers.get('Retry-After')]).toEqual([429, '"default";r=0;t=30', '30'])
    expect(await second.json()).toMatchObject({ success: false, error: { code: 'RATE_LIMITED' } })
    expect(served()).toBe(1)
  })

  it('holds the cost against the key', async () => {
    const { app, taken } = limited(1)

    await app.request('/', { headers: { 'X-Who': 'alice' } })

    expect(taken).toEqual([['alice', 3]])
  })
})
