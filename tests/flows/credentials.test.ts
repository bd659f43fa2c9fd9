import { generateApiKey } from '@dot-do/worker-utils'
import { describe, expect, inject, it } from 'vitest'
import { ask, makeKey } from './client.ts'

const platform = inject('platform')
const OWN = `http://localhost:${platform.port}`
const COOKIE = '__Host-session=eyJ.not.a-token'
const CHALLENGE = 'Bearer error="invalid_token"'

/** What the gateway says of a cookie that does not hold: that it does not, if it counted, or that nobody asks, if it did not. */
async function challengeTo(headers: Record<string, string>, method = 'POST'): Promise<string | undefined> {
  const { status, headers: answered } = await ask('/db/things', { method, headers: { cookie: COOKIE, ...headers }, ...(method === 'POST' && { body: {} }) })
  expect(status).toBe(401)
  return answered['www-authenticate']
}

describe('a credential that does not hold', () => {
  it.each([
    ['a key that is not known', { authorization: `Bearer ${generateApiKey('test')}` }],
    ['a token of no form', { authorization: 'Bearer nonsense' }],
    ['an empty one', { authorization: 'Bearer' }],
    ['a token without a signature', { authorization: 'Bearer eyJhbGciOiJub25lIn0.e30.' }],
    ['an empty key', { 'x-api-key': '' }],
    ['a token as a key', { 'x-api-key': 'eyJhbGciOiJFZERTQSIsInR5cCI6ImF0K2p3dCJ9.e30.AAAA' }],
  ])('is told from none: %s', async (_, headers) => {
    const answer = await ask('/db/things', { headers })

    expect(answer).toMatchObject({
      status: 401,
      error: { code: 'UNAUTHENTICATED' },
      headers: { 'www-authenticate': CHALLENGE, 'ratelimit-policy': '"default";q=60;w=60' },
    })
  })

  it('is none where there is none', async () => {
    expect((await ask('/db/things')).headers['www-authenticate']).toBe('Bearer')
  })
})

describe('a session cookie', () => {
  it.each([
    ['a page of ours posts', 'POST', { origin: OWN }],
    ['the browser says that a page of ours posts', 'POST', { 'sec-fetch-site': 'same-origin' }],
    ['a page of ours reads', 'GET', { 'sec-fetch-site': 'same-origin' }],
    ['somebody follows a link from elsewhere', 'GET', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }],
  ])('counts when %s', async (_, method, headers) => {
    expect(await challengeTo(headers, method)).toBe(CHALLENGE)
  })

  it.each([
    ['a foreign page posts', 'POST', { origin: 'https://evil.example' }],
    ['nobody says where a post comes from', 'POST', {}],
    ['a page of a subdomain posts', 'POST', { origin: `http://blog.localhost:${platform.port}`, 'sec-fetch-site': 'same-site' }],
    ['a sandboxed frame posts', 'POST', { origin: 'null' }],
    ['a foreign page reads', 'GET', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' }],
    ['a page of another port reads', 'GET', { origin: 'http://localhost:1' }],
  ])('does not count when %s', async (_, method, headers) => {
    expect(await challengeTo(headers, method)).toBe('Bearer')
  })

  it('does not open a WebSocket for a foreign page', async () => {
    const upgrade = async (origin: string) => {
      const headers = {
        host: `localhost:${platform.port}`,
        cookie: COOKIE,
        origin,
        connection: 'upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      }
      const answer = await rawGet('/db/changes', headers)
      return /^www-authenticate: (.*)$/im.exec(answer)?.[1]
    }

    expect(await upgrade('https://evil.example')).toBe('Bearer')
    expect(await upgrade(OWN)).toBe(CHALLENGE)
  })

  it('gives way to a key in a header, wherever that comes from', async () => {
    const { key } = await makeKey({ permissions: ['things:read'] })

    expect((await ask('/db/things', { key, headers: { cookie: COOKIE, origin: 'https://evil.example' } })).status).toBe(200)
  })
})

/** The head of an answer as it comes over the wire; a client would not send `Upgrade` as one likes. */
async function rawGet(path: string, headers: Record<string, string>): Promise<string> {
  const { connect } = await import('node:net')
  const socket = connect(platform.port, '127.0.0.1')
  socket.end(
    `GET ${path} HTTP/1.1\r\n${Object.entries(headers)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('')}\r\n`,
  )
  let text = ''
  for await (const chunk of socket.setEncoding('utf8')) {
    text += String(chunk)
    if (text.includes('\r\n\r\n')) break
  }
  socket.destroy()
  return text
}
