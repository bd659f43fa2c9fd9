import { describe, expect, it } from 'vitest'
import { ask, makeKey, unique } from './client.ts'

describe('rate limits', () => {
  it('let exactly the limit through of 50 requests at once, and say so on every answer', async () => {
    const { key } = await makeKey({ permissions: ['things:read'], tenant: unique('tenant'), limitPerMinute: 20 })

    const answers = await Promise.all(Array.from({ length: 50 }, () => ask('/db/count', { key })))

    const passed = answers.filter(({ status }) => status === 200)
    const refused = answers.filter(({ status }) => status === 429)
    expect([passed.length, refused.length]).toEqual([20, 30])
    expect(passed.map(({ headers }) => Number(headers['x-ratelimit-remaining'])).sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => index))
    expect(refused[0]).toMatchObject({
      error: { code: 'RATE_LIMITED' },
      headers: { 'ratelimit-policy': '"default";q=20;w=60', 'x-ratelimit-limit': '20', 'x-ratelimit-remaining': '0' },
    })
    expect(Number(refused[0]?.headers['retry-after'])).toBeGreaterThan(0)
  })

  it('of different classes are counted apart', async () => {
    const { key } = await makeKey({ permissions: ['things:write'], tenant: unique('tenant'), limitPerMinute: 36 })
    const batch = () => ask('/db/batch', { key, body: { commands: [{ operation: 'upsert', input: { $type: 'Note' } }] } })
    const write = () => ask('/db/things', { key, body: { $type: 'Note' } })

    const answers = [await batch(), await batch(), await batch(), await batch(), await write()]

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429, 201])
    expect(answers[3]?.headers['ratelimit-policy']).toBe('"batch";q=3;w=60')
    expect(answers[4]?.headers['ratelimit']).toMatch(/^"default";r=35;t=/)
  })

  it('above a thousand a minute are never passed by 200 requests at once, and what is left is never said to be more than it is', async () => {
    const { key } = await makeKey({ permissions: ['things:read'], tenant: unique('tenant'), limitPerMinute: 1_100 })

    const answers = []
    for (let round = 0; round < 7; round++) answers.push(...(await Promise.all(Array.from({ length: 200 }, () => ask('/auth/roles', { key })))))

    const passed = answers.filter(({ status }) => status === 200).length
    expect(passed).toBeLessThanOrEqual(1_100)
    expect(passed).toBeGreaterThanOrEqual(1_089)
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(1_400 - passed)
    for (const { headers } of answers) expect(headers).toMatchObject({ 'x-ratelimit-limit': '1100', 'ratelimit-policy': '"default";q=1100;w=60' })
    expect(answers.at(-1)?.headers).toMatchObject({ 'x-ratelimit-remaining': '0', 'retry-after': expect.stringMatching(/^\d+$/) as string })
  })

  it('are drawn on by what a call costs', async () => {
    const { key } = await makeKey({ permissions: ['events:read'], tenant: unique('tenant'), limitPerMinute: 12 })

    const answers = [await ask('/db/analytics/types', { key }), await ask('/db/analytics/types', { key }), await ask('/db/analytics/types', { key })]

    expect(answers.map(({ headers }) => headers['x-ratelimit-remaining'])).toEqual(['7', '2', '2'])
    expect(answers[2]?.status).toBe(429)
  })

  it('of those who try to sign in are few, not of those who look at the page', async () => {
    const headers = { 'cf-connecting-ip': '203.0.113.91' }

    const answers = [
      await ask('/auth/login', { headers }),
      await ask('/auth/login', { method: 'POST', headers, body: {} }),
      await ask('/auth/callback', { headers }),
      await ask('/auth/session/refresh', { method: 'POST', headers, body: {} }),
    ]

    const told = ['"default";r=59;', '"auth";r=9;', '"auth";r=8;', '"auth";r=7;']
    expect(answers.map((answer) => answer.headers['ratelimit'])).toEqual(told.map((limit) => expect.stringMatching(`^${limit}`) as string))
  })

  it('count a stranger by address, an IPv6 one by its /64', async () => {
    const from = (address: string) => ask('/db/health', { headers: { 'cf-connecting-ip': address } })

    const household = await Promise.all(Array.from({ length: 65 }, (_, index) => from(`2001:db8:77:1::${index.toString(16)}`)))
    const neighbour = await from('2001:db8:77:2::1')

    expect(household.filter(({ status }) => status === 429)).toHaveLength(5)
    expect(neighbour.status).toBe(200)
  })

  it('count guesses at keys against whoever guesses', async () => {
    const guess = () => ask('/db/count', { key: 'sk_test_guess', headers: { 'cf-connecting-ip': '203.0.113.200' } })

    const answers = await Promise.all(Array.from({ length: 62 }, guess))

    expect(answers.filter(({ status }) => status === 401)).toHaveLength(60)
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(2)
  })

  it.each([
    ['a read', '/db/count', { headers: {} }, 200],
    ['nothing there', '/nothing', {}, 404],
    ['a stranger', '/db/things', { key: undefined }, 401],
    ['a key that does not hold', '/db/things', { key: 'sk_test_x' }, 401],
    ['what one may not', '/auth/apikeys', {}, 403],
    ['a method that is not there', '/db/things', { method: 'PUT' }, 404],
    ['broken JSON', '/db/things', { body: '{' }, 400],
    ['too large a body', '/db/things', { body: `"${'x'.repeat(1_100_000)}"` }, 413],
    ['a published worker that is not there', '/api/nobody/x', {}, 404],
  ])('are told on every answer: %s', async (_, path, asked, status) => {
    const { key } = await makeKey({ permissions: ['things:read', 'things:write'], tenant: unique('tenant'), limitPerMinute: 600 })

    const answer = await ask(path, { key, ...asked })

    expect(answer.status).toBe(status)
    expect(answer.headers).toMatchObject({
      ratelimit: expect.stringMatching(/^"\w+";r=\d+;t=\d+$/) as string,
      'ratelimit-policy': expect.stringMatching(/^"\w+";q=\d+;w=60$/) as string,
      'x-ratelimit-limit': expect.stringMatching(/^\d+$/) as string,
      'x-ratelimit-remaining': expect.stringMatching(/^\d+$/) as string,
      'x-ratelimit-reset': expect.stringMatching(/^\d+$/) as string,
    })
  })

  it('are told with a 304, and not to a browser that asks what it may ask', async () => {
    const page = await ask('/docs')
    const known = await ask('/docs', { headers: { 'if-none-match': String(page.headers['etag']) } })
    const preflight = await ask('/db/things', { method: 'OPTIONS', headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' } })

    expect([known.status, known.headers['ratelimit-policy']]).toEqual([304, '"default";q=60;w=60'])
    expect([preflight.status, preflight.headers['ratelimit-policy']]).toEqual([204, undefined])
  })
})
