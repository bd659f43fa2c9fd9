import { describe, expect, inject, it } from 'vitest'
import { admin, ask, makeKey, unique } from './client.ts'

const { port } = inject('platform')

describe('the gateway', () => {
  it('tells anyone who comes to / what is here', async () => {
    const { status, data } = await ask('/')

    expect(status).toBe(200)
    expect(data).toMatchObject({
      services: expect.arrayContaining([expect.objectContaining({ name: 'db', path: '/db' })]) as unknown,
      links: { openapi: '/openapi.json' },
    })
  })

  it('tells the health of every service to anyone', async () => {
    const { status, data } = await ask('/health')

    expect(status).toBe(200)
    expect(data).toMatchObject({ status: 'ok', service: 'gateway', checks: { auth: { status: 'ok' }, db: { status: 'ok' }, mcp: { status: 'ok' } } })
  })

  it.each([
    ['localhost', '/db/things/'],
    ['gateway.do.localhost', '/api/db/things/'],
    ['db.do.localhost', '/things/'],
    ['db.apis.do.localhost', '/things/'],
    ['db.services.do.localhost', '/things/'],
  ])('gives the same answer at %s%s', async (host, path) => {
    const $id = unique('note')
    const written = await admin('/db/things', { body: { $type: 'Note', $id } })

    const read = await admin(`${path}${$id}`, { host: `${host}:${port}` })

    expect(read).toMatchObject({ status: 200, data: written.data })
  })

  it('serves one document of all services, in which every reference resolves', async () => {
    const { status, text } = await ask('/openapi.json')
    const document = JSON.parse(text) as { openapi: string; paths: object; components: { schemas: object; responses: object } }

    expect(status).toBe(200)
    expect(document.openapi).toBe('3.1.1')
    expect(Object.keys(document.paths)).toEqual(expect.arrayContaining(['/health', '/db/things', '/db/things/{id}', '/auth/apikeys', '/mcp/health']))
    for (const [, section, name] of text.matchAll(/"#\/components\/(schemas|responses)\/([^"]+)"/g))
      expect(Object.keys(document.components[section as 'schemas'])).toContain(name)
  })

  it('explains to those who run it which rule matches and who may', async () => {
    const { key } = await makeKey({ permissions: ['routes:read', 'things:read'] })
    const explain = async (url: string, method = 'GET') =>
      (await ask(`/_routes?explain=${encodeURIComponent(url)}&method=${method}`, { key })).data['explanation']

    expect(await explain(`http://db.do.localhost:${port}/things/a/b`)).toMatchObject({
      rule: 'host db.do',
      service: 'db',
      operation: 'get',
      permission: 'things:read',
      access: 'granted',
    })
    expect(await explain('/api/db/things', 'POST')).toMatchObject({
      rule: 'path /api/db/*',
      operation: 'upsert',
      access: 'denied',
      reason: expect.stringContaining('things:write') as unknown,
    })
    expect(await explain('/db/batch', 'POST')).toMatchObject({ limit: 'batch' })
    expect(await explain(`http://hello.do.localhost:${port}/health`)).toMatchObject({
      service: 'dispatcher',
      operation: null,
      permission: null,
      limit: 'published',
    })
    expect(await explain('/nowhere')).toMatchObject({ rule: 'none', service: null, access: 'denied' })
  })

  it('keeps its table of routes from those who may not see it', async () => {
    const { key } = await makeKey({ permissions: ['things:read'] })

    expect((await ask('/_routes', { key })).status).toBe(403)
    expect((await admin('/_routes')).data['routes']).toEqual(
      expect.arrayContaining([expect.objectContaining({ service: 'db', operation: 'get', path: '/db/things/:id+' })]),
    )
  })

  it('hands ids and traces on, and makes them where they are missing or odd', async () => {
    const trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

    const given = await admin('/db/nothing', { headers: { 'x-request-id': 'my-id.1', traceparent: trace } })
    const odd = await admin('/db/nothing', { headers: { 'x-request-id': 'not <fine>' } })

    expect(given.headers['x-request-id']).toBe('my-id.1')
    expect(given.error['requestId']).toBe('my-id.1')
    expect(odd.headers['x-request-id']).toMatch(/^req_/)
    expect(given.headers['x-response-time']).toMatch(/^\d+ms$/)
    expect(given.headers['server-timing']).toContain('gateway')
  })

  it('lets pages of allowed origins read answers, and no others', async () => {
    const from = (origin: string) => admin('/db/count', { headers: { origin } })
    const preflight = await ask('/db/things', { method: 'OPTIONS', headers: { origin: 'https://gateway.do', 'access-control-request-method': 'POST' } })

    const [allowed, refused] = await Promise.all([from('https://gateway.do'), from('https://hello.do')])

    expect(allowed.headers).toMatchObject({ 'access-control-allow-origin': 'https://gateway.do', 'access-control-allow-credentials': 'true' })
    expect(refused.headers).not.toHaveProperty('access-control-allow-origin')
    expect(preflight).toMatchObject({ status: 204, headers: { 'access-control-allow-origin': 'https://gateway.do' } })
  })

  it('takes a doubled slash for a path that is not there, not for a host', async () => {
    expect(await admin('/db//auth/apikeys')).toMatchObject({ status: 404, error: { message: expect.stringContaining('//auth/apikeys') as unknown } })
  })

  it('answers HEAD like GET, without the body', async () => {
    const { status, text } = await admin('/db/count', { method: 'HEAD' })

    expect([status, text]).toEqual([200, ''])
  })
})
