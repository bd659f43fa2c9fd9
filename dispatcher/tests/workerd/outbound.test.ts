import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'

const { OUTBOUND } = env

describe('what published code asks of the internet', () => {
  it('goes out as it is, without anything of the platform’s', async () => {
    const headers = { 'x-mine': '1', 'x-dotdo-call': '{}' }

    const answer = await OUTBOUND.fetch('http://api.example.com/a?b=c', { headers })

    const seen: { url: string; headers: Record<string, string> } = await answer.json()
    expect(seen).toMatchObject({ url: 'http://api.example.com/a?b=c', headers: { 'x-mine': '1' } })
    expect(Object.keys(seen.headers).filter((name) => name.startsWith('x-dotdo'))).toEqual([])
  })

  it.each([
    ['http://example.org/', 'may not call example.org'],
    ['http://127.0.0.1/', 'private'],
    ['http://[::ffff:10.0.0.1]/', 'private'],
    ['http://db.internal/', 'private'],
  ])('is refused at %s, and told why', async (url, reason) => {
    const answer = await OUTBOUND.fetch(url)

    expect([answer.status, await answer.json()]).toMatchObject([
      403,
      { success: false, error: { code: 'FORBIDDEN', message: expect.stringContaining(reason) as string } },
    ])
  })

  it.each([
    ['http://127.0.0.1/', 403],
    ['http://example.org/', 403],
    ['http://other.example.com/', 200],
  ])('is judged again when it is redirected to %s', async (to, status) => {
    const answer = await OUTBOUND.fetch(`http://api.example.com/?to=${encodeURIComponent(to)}`)

    expect(answer.status).toBe(status)
  })
})
