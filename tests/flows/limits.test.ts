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
    const { key } = await makeKey({ permissions: ['things:write'], tenant: unique('tenant'), limitPerMinute: 3 })
    const batch = () => ask('/db/batch', { key, body: { commands: [{ operation: 'upsert', input: { $type: 'Note' } }] } })
    const write = () => ask('/db/things', { key, body: { $type: 'Note' } })

    const answers = [await batch(), await batch(), await batch(), await batch(), await write()]

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429, 201])
    expect(answers[3]?.headers['ratelimit-policy']).toContain('"batch"')
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
})
