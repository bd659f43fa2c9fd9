import { describe, expect, it } from 'vitest'
import { route } from '../src/routing.ts'

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
  ])('sends %s%s to %s under %s', (host, path, service, own) => {
    expect(route(host, path, table)).toMatchObject({ service, path: own })
  })

  it.each([
    ['localhost:8787', '/unknown/things'],
    ['localhost:8787', '/api'],
    ['localhost:8787', '/things'],
    ['localhost:8787', '//db/things'],
    ['localhost:8787', '/_routes/more'],
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

  it('tells by which rule', () => {
    expect(route('db.do', '/things', table)?.rule).toBe('host db.do')
    expect(route('gateway.do', '/api/db/things', table)?.rule).toBe('path /api/db/*')
  })
})
