import { generateApiKey } from '@dot-do/worker-utils'
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'

const alice = { id: 'user_alice', kind: 'user', tenant: 'default', permissions: ['notes:read'] }
const onBehalf = { headers: { 'x-dotdo-call': JSON.stringify({ onBehalfOf: alice, requestId: 'r-1' }) } }
const json = { 'Content-Type': 'application/json' }

describe("fetch at the binding's door", () => {
  it.each([
    ['STRANGER', 401],
    ['READER', 200],
    ['DELEGATE', 403],
  ] as const)('goes by the props: %s gets %i', async (binding, status) => {
    expect((await env[binding].fetch('http://notes.do/notes')).status).toBe(status)
  })

  it('honours who is spoken for where the binding may delegate, and refuses to elsewhere', async () => {
    const [delegate, reader] = [await env.DELEGATE.fetch('http://notes.do/me', onBehalf), await env.READER.fetch('http://notes.do/me', onBehalf)]

    expect(await delegate.json()).toMatchObject({ success: true, data: { id: 'user_alice', requestId: 'r-1', via: 'http' } })
    expect([reader.status, await reader.json()]).toMatchObject([403, { error: { code: 'FORBIDDEN' } }])
  })

  it('looks at no bare credential where there are no props', async () => {
    const response = await env.STRANGER.fetch('http://notes.do/me', { headers: { 'X-API-Key': generateApiKey('test') } })

    expect([response.status, await response.json()]).toMatchObject([401, { error: { message: expect.stringContaining('Send an API key') } }])
  })

  it('shows over HTTP what was written over RPC', async () => {
    const { id } = await env.WRITER.create({ text: 'Hi' })

    expect(await (await env.READER.fetch(`http://notes.do/notes/${id}`)).json()).toEqual({ success: true, data: { id, text: 'Hi' } })
  })

  it('reads a body that arrives in parts, and no more of it than it may have', async () => {
    const post = (spaces: number) => {
      const parts = ['{"text":"Hi"', ...Array<string>(spaces).fill(' '.repeat(65_536)), '}'].map((part) => new TextEncoder().encode(part))
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          const part = parts.shift()
          if (part) controller.enqueue(part)
          else controller.close()
        },
      })
      return env.WRITER.fetch('http://notes.do/notes', { method: 'POST', headers: json, body })
    }

    expect([(await post(2)).status, (await post(64)).status]).toEqual([201, 413])
  })

  it('refuses an announced body that is too large', async () => {
    const response = await env.WRITER.fetch('http://notes.do/notes', { method: 'POST', headers: json, body: '{"text":"Hi"}'.padEnd(2_097_152) })

    expect([response.status, await response.json()]).toMatchObject([413, { error: { code: 'TOO_LARGE' } }])
  })
})

describe("fetch at the platform's door", () => {
  it('honours no word of another, true or broken', async () => {
    const said = await env.PLATFORM.fetch('http://notes.do/me', onBehalf)
    const broken = await env.PLATFORM.fetch('http://notes.do/health', { headers: { 'x-dotdo-call': '{' } })

    expect([said.status, said.headers.get('X-Request-ID')]).toEqual([401, expect.stringMatching(/^req_/)])
    expect(broken.status).toBe(200)
  })

  it('has no methods', async () => {
    const whoAmI = async () => (env.PLATFORM as unknown as typeof env.READER).whoAmI({})

    await expect(whoAmI()).rejects.toThrow(/does not implement|not support RPC/)
  })
})
