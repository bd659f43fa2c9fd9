import { describe, expect, it } from 'vitest'
import { addressOf, type WorkerAddress } from '../src/address.ts'

const LOCAL = '.localhost:8787'

describe('a host of a published worker', () => {
  it.each<[host: string, expected: Partial<WorkerAddress>]>([
    ['hello.do', { tenant: 'default', environment: 'production' }],
    ['HELLO.do', { tenant: 'default', environment: 'production' }],
    ['hello.do.', { tenant: 'default', environment: 'production' }],
    ['hello.do:443', { tenant: 'default', environment: 'production' }],
    ['v12.hello.do', { tenant: 'default', environment: 'production', version: 12 }],
    ['hello.staging.do', { tenant: 'default', environment: 'staging' }],
    ['v3.hello.staging.do', { tenant: 'default', environment: 'staging', version: 3 }],
    ['acme.hello.staging.do', { tenant: 'acme', environment: 'staging' }],
    ['v3.acme.hello.staging.do', { tenant: 'acme', environment: 'staging', version: 3 }],
    ['hello.dev.do', { tenant: 'default', environment: 'development' }],
    ['acme.hello.dev.do', { tenant: 'acme', environment: 'development' }],
    ['hello.internal.do', { tenant: 'default', environment: 'internal' }],
    ['v1.hello.internal.do', { tenant: 'default', environment: 'internal', version: 1 }],
    ['acme.hello.tenant.do', { tenant: 'acme', environment: 'production' }],
    ['v3.acme.hello.tenant.do', { tenant: 'acme', environment: 'production', version: 3 }],
    ['feature-x.hello.preview.do', { tenant: 'default', environment: 'production', branch: 'feature-x' }],
    ['feature-x.acme.hello.preview.do', { tenant: 'acme', environment: 'production', branch: 'feature-x' }],
  ])('%s says whose, which and where', (host, expected) => {
    const whole = { worker: 'hello', path: '/a/b', ...expected }

    expect(addressOf(host, '/a/b', '')).toEqual({ kind: 'worker', address: whole })
    expect(addressOf(`${host.replace(/[.:]*(?:443)?$/, '')}${LOCAL}`, '/a/b', LOCAL)).toEqual({ kind: 'worker', address: whole })
  })

  it.each([
    ['of a service’s name', 'db.do'],
    ['of a reserved name', 'console.do'],
    ['of a zone alone', 'staging.do'],
    ['of a version alone', 'v12.do'],
    ['of no version 0', 'v0.hello.do'],
    ['with a label too many', 'a.b.hello.do'],
    ['without its tenant', 'hello.tenant.do'],
    ['with a version for its tenant', 'v3.hello.tenant.do'],
    ['with a label too many in a zone', 'a.acme.hello.staging.do'],
    ['of two versions', 'v1.v2.hello.staging.do'],
    ['with a branch that reads like a version', 'v3.hello.preview.do'],
    ['of a preview without branch', 'hello.preview.do'],
    ['with a branch too long', `${'b'.repeat(43)}.hello.preview.do`],
    ['with a worker that is no name', 'a--b.do'],
    ['with a zone that is none', 'hello.elsewhere.do'],
    ['of another service’s alias', 'hello.apis.do'],
    ['of one of the platform’s hosts below another', 'hello.gateway.do'],
    ['that is no name at all', 'not_a_host'],
  ])('is not one %s', (_what, host) => {
    expect(addressOf(host, '/', '')).toEqual({ kind: 'none', host })
  })
})

describe('a host of the platform', () => {
  it.each(['gateway.do', 'api.do', 'localhost:8787', '127.0.0.1:8787', '[::1]:8787'])('has published workers under /api: %s', (host) => {
    const address = (path: string) => ({ kind: 'worker', address: { tenant: 'default', worker: 'hello', environment: 'production', path } })

    expect(addressOf(host, '/api/hello', '')).toEqual(address('/'))
    expect(addressOf(host, '/api/hello/', '')).toEqual(address('/'))
    expect(addressOf(host, '/api/hello/a//b', '')).toEqual(address('/a//b'))
  })

  it.each(['/resolve', '/tenants/acme', '/api', '/api/', '/api/db/things', '/api/v12/x', '/apis/hello'])('is the dispatcher’s own at %s', (path) => {
    expect(addressOf('gateway.do', path, '')).toEqual({ kind: 'own' })
  })

  it.each(['dispatcher.do', 'dispatcher.apis.do', 'dispatcher.services.do'])('is the dispatcher’s own whatever the path: %s', (host) => {
    expect(addressOf(host, '/api/hello', '')).toEqual({ kind: 'own' })
  })
})

describe('any other host', () => {
  it.each([
    ['shop.example.com', '', 'shop.example.com'],
    ['SHOP.example.com:8443', '', 'shop.example.com'],
    ['shop.example.com:8787', LOCAL, 'shop.example.com'],
    ['shop.example.com.localhost:8787', LOCAL, 'shop.example.com'],
  ])('may be a custom domain: %s with the suffix "%s"', (host, suffix, expected) => {
    expect(addressOf(host, '/x', suffix)).toEqual({ kind: 'custom', host: expected, path: '/x' })
  })
})
