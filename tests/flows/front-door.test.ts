import { describe, expect, inject, it } from 'vitest'
import { admin, ask, makeKey, unique } from './client.ts'
import { publish, workerName } from './publisher.ts'
import { requestText, sendRaw } from './raw.ts'

const { port, adminKey } = inject('platform')
const HOST = `Host: localhost:${port}`
const KEY = `Authorization: Bearer ${adminKey}`

/** Each stranger from another address, since they are counted by it. */
let strangers = 0
const stranger = () => `CF-Connecting-IP: 192.0.2.${++strangers % 250}`

describe('a path that is written oddly', () => {
  it.each([
    ['/db//things', 404],
    ['//db/things', 404],
    ['/db/./things', 200],
    ['/db/x/../things', 200],
    ['/db/%2e/things', 200],
    ['/auth/%2e%2e/db/things', 200],
    ['/db/%2e%2e/auth/apikeys', 200],
    ['/db%2fthings', 404],
    ['/db%2Fthings', 404],
    ['/DB/things', 404],
    ['/db;x/things', 404],
    ['/db;x=/../things', 404],
    ['/db/things;x', 404],
    ['/db/THINGS', 404],
    ['/db/things/', 404],
    ['/db/things%00', 404],
    ['/%64b/things', 404],
    ['/db\\things', 200],
  ])('%s means to everyone what it means to those who are let in: %i with the admin’s key, and nothing without', async (path, status) => {
    const withKey = await sendRaw(requestText(`GET ${path}`, [HOST, KEY]))
    const without = await sendRaw(requestText(`GET ${path}`, [HOST, stranger()]))

    expect(withKey.status).toBe(status)
    expect([401, 404]).toContain(without.status)
    expect(without.body).not.toContain('"success":true')
  })

  it.each([
    '/_routes',
    '//_routes',
    '/./_routes',
    '/x/../_routes',
    '/%5froutes',
    '/%5F%72outes',
    '/%2f_routes',
    '/db/_x',
    '/api/db/_x',
    '/db//_x',
    '/auth/%5fx',
  ])('%s is for those who say who they are', async (path) => {
    expect((await sendRaw(requestText(`GET ${path}`, [HOST, stranger()]))).status).toBe(401)
  })

  it.each(['GET /db/th\0ings', 'GET /db/th\rings', 'FOO /db/things', 'get /db/things', 'GET  /db/things', ' GET /db/things', 'GET'])(
    '%j is no request',
    async (line) => {
      expect([400, 404, 501]).toContain((await sendRaw(requestText(line, [HOST, stranger()]))).status)
    },
  )
})

describe('a host that is written oddly', () => {
  it.each([
    ['DB.DO', '/things'],
    ['db.do.', '/things'],
    ['db.do:443', '/things'],
    ['db.do.:80', '/things'],
    [`Db.Do.LOCALHOST:${port}`, '/things'],
    ['GATEWAY.do', '/db/things'],
    [`LOCALHOST:${port}`, '/db/things'],
  ])('%s is the service it names: open to the admin, closed to strangers', async (host, path) => {
    expect((await sendRaw(requestText(`GET ${path}`, [`Host: ${host}`, KEY]))).status).toBe(200)
    expect((await sendRaw(requestText(`GET ${path}`, [`Host: ${host}`, stranger()]))).status).toBe(401)
  })

  it.each(['a b', 'user@localhost', 'localhost/db/things', 'db.do?', 'db.do#', 'db.do\\x', '', '[::1', 'a,b', 'db.do:port', 'dß.do'])(
    '%j is refused',
    async (host) => {
      expect((await sendRaw(requestText('GET /health', [`Host: ${host}`, stranger()]))).status).toBe(400)
    },
  )

  it('is refused when there are two', async () => {
    expect((await sendRaw(requestText('GET /things', ['Host: gateway.do', 'Host: db.do', stranger()]))).status).toBe(400)
  })

  it('counts, and not the one in the request’s target', async () => {
    const answer = await sendRaw(requestText('GET http://db.do/things', [HOST, stranger()]))

    expect(answer.status).toBe(404)
  })
})

describe('a header that is not for visitors to send', () => {
  const admins = JSON.stringify({ credential: 'header', onBehalfOf: { id: 'key_admin', kind: 'key', tenant: 'default', permissions: ['*'] } })
  const FORGED = [
    ['x-dotdo-call', admins],
    ['X-DotDo-Call', admins],
    ['x-dotdo-principal', 'admin'],
    ['X-Forwarded-Host', 'gateway.do'],
    ['X-Forwarded-Host', 'db.do'],
    ['X-Forwarded-For', '127.0.0.1'],
    ['X-Forwarded-Proto', 'https'],
    ['Forwarded', 'host=db.do;for=127.0.0.1'],
    ['X-Original-URL', '/health'],
    ['X-Rewrite-URL', '/health'],
    ['X-HTTP-Method-Override', 'GET'],
    ['X-Real-IP', '127.0.0.1'],
    ['CF-Access-Authenticated-User-Email', 'admin@platform.do'],
    ['Cf-Worker', 'gateway.do'],
  ] as const

  it.each(FORGED)('changes nothing: %s: %s', async (name, value) => {
    const forged = await sendRaw(requestText('GET /db/things', [HOST, stranger(), `${name}: ${value}`]))
    const own = await sendRaw(requestText('GET /health', ['Host: nothing-here.do', stranger(), `${name}: ${value}`]))

    expect(forged.status).toBe(401)
    expect(own.status).toBe(404)
  })

  it('does not reach published code, which is told where a request came from by the platform alone', async () => {
    const name = workerName()
    await publish(name, 'export default { fetch: ({ headers }) => Response.json(Object.fromEntries(headers)) }')

    const { text } = await ask('/', {
      host: `${name}.do.localhost:${port}`,
      headers: { ...Object.fromEntries(FORGED), 'CF-IPCountry': 'DO', 'cf-connecting-ip': '192.0.2.99' },
    })
    const seen = JSON.parse(text) as Record<string, string>

    expect(Object.keys(seen).filter((header) => /^(?:cf-|x-dotdo-|x-forwarded-|forwarded|x-real-ip|x-original|x-rewrite)/.test(header))).toEqual([
      'cf-connecting-ip',
    ])
    expect(seen['cf-connecting-ip']).toBe('192.0.2.99')
  })

  it('does not make another namespace of a key’s', async () => {
    const $id = unique('note')
    const { key, tenant } = await makeKey({ permissions: ['things:read', 'things:write'], tenant: unique('tenant') })

    const { data } = await ask('/db/things', { key, body: { $type: 'Note', $id }, headers: Object.fromEntries(FORGED) })

    expect(data['ns']).toBe(tenant)
  })
})

describe('a request that is too much', () => {
  it('in its headers is answered or refused, and nothing breaks', async () => {
    const { status } = await sendRaw(requestText('GET /health', [HOST, stranger(), `X-Large: ${'a'.repeat(100_000)}`]))

    expect([200, 431]).toContain(status)
    expect((await ask('/health')).status).toBe(200)
  })

  it('in its query is answered like another', async () => {
    const query = Array.from({ length: 10_000 }, (_, index) => `p${index.toString(36)}`).join('&')

    expect((await admin(`/db/count?${query}`)).status).toBe(200)
    expect((await admin(`/db/count?${'p&'.repeat(10_000)}`)).status).toBe(200)
  })

  it('in its body is refused before it is read, whether it says so or not', async () => {
    const announced = await sendRaw(`${requestText('POST /db/things', [HOST, KEY, 'Content-Type: application/json', 'Content-Length: 99999999999'])}{`)
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`
    const chunked = await sendRaw(
      `${requestText('POST /db/things', [HOST, KEY, 'Content-Type: application/json', 'Transfer-Encoding: chunked'])}${chunk.repeat(20)}0\r\n\r\n`,
    )

    expect(JSON.parse(announced.body)).toMatchObject({ error: { code: 'TOO_LARGE' } })
    expect([announced.status, chunked.status]).toEqual([413, 413])
  })
})

describe('pages of other origins', () => {
  const preflight = (path: string, origin: string, host?: string) =>
    ask(path, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' }, ...(host === undefined ? {} : { host }) })

  it.each([
    'https://gateway.do.evil.example',
    'https://hello.do',
    'http://gateway.do',
    'https://gateway.do:444',
    'https://db.do',
    'null',
    'https://GATEWAY.do',
  ])('at %s learn nothing', async (origin) => {
    const read = await admin('/db/count', { headers: { origin } })
    const asked = await preflight('/db/things', origin)

    for (const { headers } of [read, asked]) {
      expect(headers).not.toHaveProperty('access-control-allow-origin')
      expect(headers['vary']).toContain('Origin')
    }
  })

  it.each(['/db/things', '/auth/apikeys', '/nowhere', '/_routes', '/mcp', '/health'])('at an allowed one may ask what they may ask at %s', async (path) => {
    const { status, headers } = await preflight(path, 'https://gateway.do')

    expect(status).toBe(204)
    expect(headers).toMatchObject({
      'access-control-allow-origin': 'https://gateway.do',
      'access-control-allow-credentials': 'true',
      vary: expect.stringContaining('Origin') as unknown,
    })
  })

  it('may read what is public, as nobody', async () => {
    const { headers } = await ask('/', { host: 'default.mw', headers: { origin: 'https://anywhere.example' } })

    expect(headers['access-control-allow-origin']).toBe('*')
    expect(headers).not.toHaveProperty('access-control-allow-credentials')
  })

  it('are told that answers differ by origin, on whatever answer', async () => {
    const { headers } = await ask('/docs')
    const kept = await ask('/docs', { headers: { 'if-none-match': String(headers['etag']) } })

    expect(kept.status).toBe(304)
    expect(kept.headers['vary']).toContain('Origin')
  })
})
