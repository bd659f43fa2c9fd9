import { describe, expect, it } from 'vitest'
import { isGuarded, isHost, onDomain, route } from '../src/routing.ts'

const table = { services: new Set(['gateway', 'auth', 'db', 'mcp']), hostSuffix: '.localhost:8787' }

describe('routing', () => {
  it.each([
    ['localhost:8787', '/db/things/note/hello', 'db', '/things/note/hello'],
    ['localhost:8787', '/api/db/things', 'db', '/things'],
    ['localhost:8787', '/db', 'db', '/'],
    ['localhost:8787', '/auth/apikeys/key_1', 'auth', '/apikeys/key_1'],
    ['localhost:8787', '/health', 'gateway', '/health'],
    ['localhost:8787', '/openapi.json', 'gateway', '/openapi.json'],
    ['localhost:8787', '/_routes', 'gateway', '/_routes'],
    ['localhost:8787', '/mcp', 'mcp', '/mcp'],
    ['localhost:8787', '/db/mcp', 'mcp', '/db/mcp'],
    ['localhost:8787', '/api/db/mcp', 'mcp', '/db/mcp'],
    ['localhost:8787', '/.well-known/jwks.json', 'auth', '/.well-known/jwks.json'],
    ['db.do.localhost:8787', '/things/note/hello', 'db', '/things/note/hello'],
    ['DB.do.LOCALHOST:8787', '/things', 'db', '/things'],
    ['db.do.localhost:8787', '/mcp', 'mcp', '/db/mcp'],
    ['db.apis.do.localhost:8787', '/things', 'db', '/things'],
    ['db.services.do.localhost:8787', '/things', 'db', '/things'],
    ['gateway.do.localhost:8787', '/db/things', 'db', '/things'],
    ['api.do.localhost:8787', '/db/things', 'db', '/things'],
    ['db.do', '/things', 'db', '/things'],
    ['127.0.0.1:8787', '/db/things', 'db', '/things'],
    ['[::1]:8787', '/db/things', 'db', '/things'],
    ['[::1]', '/db/things', 'db', '/things'],
    ['db.do.', '/things', 'db', '/things'],
    ['db.do:443', '/things', 'db', '/things'],
    ['db.do.:443', '/things', 'db', '/things'],
    ['GateWay.do.', '/db/things', 'db', '/things'],
    ['localhost:8787', '/waitlist', 'gateway', '/waitlist'],
    ['localhost:8787', '/_domains/shop.example.com', 'gateway', '/_domains/shop.example.com'],
  ])('sends %s%s to %s under %s', (host, path, service, own) => {
    expect(route(host, path, table)).toMatchObject({ service, path: own })
  })

  it.each([
    ['localhost:8787', '/unknown/things'],
    ['localhost:8787', '/api'],
    ['localhost:8787', '/things'],
    ['localhost:8787', '//db/things'],
    ['localhost:8787', '/_routes/more/still'],
  ])('finds nothing at %s%s', (host, path) => {
    expect(route(host, path, table)).toBeUndefined()
  })

  it.each([
    ['hello.do.localhost:8787', '/db/things', 'host'],
    ['hello.do.localhost:8787', '/_next/a.js', 'host'],
    ['v3.hello.do', '/', 'host'],
    ['acme.app.tenant.do', '/health', 'host'],
    ['constructor.do.localhost:8787', '/things', 'host'],
    ['shop.example.com', '/mcp', 'host'],
    ['localhost:8787', '/api/unknown', 'path'],
    ['gateway.do', '/api/hello/deep/er', 'path'],
  ])('leaves %s%s to published workers, whole and named by its %s', (host, path, published) => {
    expect(route(host, path, table)).toMatchObject({ service: 'dispatcher', path, published })
  })

  it.each([
    ['shop.example.com', 'shop.example.com'],
    ['Shop.Example.com.:8443', 'shop.example.com'],
    ['hello.do', undefined],
    ['nothing', undefined],
    ['1.2.3.4.example', '1.2.3.4.example'],
  ])('asks the table of domains about %s only where it may be somebody’s own', (host, domain) => {
    expect(route(host, '/', table)?.domain).toBe(domain)
  })

  it('leads a domain where a host of the service leads', () => {
    expect(onDomain('data.example.com', 'db', '/things/x')).toEqual({ service: 'db', path: '/things/x', rule: 'domain data.example.com' })
    expect(onDomain('data.example.com', 'db', '/mcp')).toMatchObject({ service: 'mcp', path: '/db/mcp' })
  })

  it.each([
    ['acme.mw', 'acme'],
    ['ACME.mw.localhost:8787', 'acme'],
    ['a-1.mw.', 'a-1'],
  ])('reads what is public of a namespace at %s, whatever the path', (host, openNs) => {
    for (const path of ['/', '/db/things', '/mcp', '/health', '/api/x']) expect(route(host, path, table)).toMatchObject({ service: 'db', path, openNs })
  })

  it.each(['mw.example.com.mw', 'a.b.mw', '-a.mw', '.mw', `${'a'.repeat(64)}.mw`])('has nothing at %s', (host) => {
    expect(route(host, '/', table)).toBeUndefined()
  })

  it('tells by which rule', () => {
    expect(route('db.do', '/things', table)?.rule).toBe('host db.do')
    expect(route('gateway.do', '/api/db/things', table)?.rule).toBe('path /api/db/*')
  })
})

describe('a guarded path', () => {
  it.each(['/_x', '//_x', '/%5fx', '/%5Fx', '/%2f_x', '/%2F%5fx', '/\\_x', '/%5c_x', '///%2f/_'])('is %s', (path) => {
    expect(isGuarded(path)).toBe(true)
  })

  it.each(['/', '/x', '/x/_y', '/things/_x', '/%255fx', '/x_', '/-_'])('is not %s', (path) => {
    expect(isGuarded(path)).toBe(false)
  })
})

describe('a host', () => {
  it.each(['db.do', 'DB.do.:80', 'localhost:8787', '127.0.0.1', '[::1]:8787', 'xn--d-fga.do', 'a_b.do'])('may be %s', (host) => {
    expect(isHost(host)).toBe(true)
  })

  it.each(['', ' ', 'a b', 'a, b', 'a@b', 'a/b', 'a?b', 'a#b', 'a\\b', 'a:b', 'a:123456', '[::1', '.do', '-a.do', 'a%2eb'])('is never %j', (host) => {
    expect(isHost(host)).toBe(false)
  })
})
