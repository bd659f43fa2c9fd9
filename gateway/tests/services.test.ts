import { describe, expect, it } from 'vitest'
import { findOperation, limitClassOf, ROUTES, timeoutOf } from '../src/services.ts'

describe('the routes of the contracts', () => {
  it.each([
    ['db', 'GET', '/things/note/hello', 'get'],
    ['db', 'HEAD', '/things/note/hello', 'get'],
    ['db', 'GET', '/things', 'list'],
    ['db', 'GET', '/history/a/b/c', 'history'],
    ['auth', 'POST', '/apikeys/key_1/rotate', 'rotateKey'],
    ['auth', 'GET', '/apikeys/key_1', 'getKey'],
    ['gateway', 'GET', '/_routes', 'routes'],
  ])('matches %s %s %s to %s', (service, method, path, name) => {
    expect(findOperation({ service, path }, method)?.routed.name).toBe(name)
  })

  it.each([
    ['db', 'PUT', '/things'],
    ['db', 'GET', '/things/'],
    ['db', 'GET', '/xhealth'],
    ['auth', 'GET', '/apikeys/a/b'],
    ['none', 'GET', '/things'],
  ])('matches %s %s %s to nothing', (service, method, path) => {
    expect(findOperation({ service, path }, method)).toBeUndefined()
  })

  it('matches nothing of a published worker’s, whose paths are its own', () => {
    const request = { service: 'dispatcher', path: '/health' }

    expect(findOperation(request, 'GET')?.routed.name).toBe('health')
    expect(findOperation({ ...request, published: 'host' }, 'GET')).toBeUndefined()
    expect([limitClassOf({ ...request, published: 'host' }, 'GET'), limitClassOf(request, 'GET')]).toEqual(['published', 'default'])
  })

  it('gives each operation over HTTP one route, and no two the same', () => {
    const addresses = ROUTES.map(({ service, route }) => `${service} ${route.method} ${route.path}`)

    expect(new Set(addresses).size).toBe(addresses.length)
    expect(addresses).toContain('db POST /things')
  })

  it('puts a route with a limit of its own on a counter of its own', () => {
    const limitOf = (service: string, method: string, path: string) => findOperation({ service, path }, method)?.routed.operation.limit

    expect(limitOf('db', 'POST', '/batch')).toBe('batch')
    expect(limitOf('auth', 'POST', '/apikeys')).toBe('auth')
    expect(limitOf('auth', 'GET', '/apikeys')).toBeUndefined()
    expect(limitOf('db', 'POST', '/things')).toBeUndefined()
  })
})

describe('the time that a service has to answer', () => {
  it('is what is configured, and more for deploy, which uploads and tries what it publishes', () => {
    const env = { TIMEOUT_MS: '30000' } as Parameters<typeof timeoutOf>[1]

    expect([timeoutOf('db', env), timeoutOf('deploy', env)]).toEqual([30_000, 150_000])
  })
})
