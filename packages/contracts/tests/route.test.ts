import { db } from '@dot-do/worker-contracts/db'
import { matchOperation, parseRoute, routedOperations } from '@dot-do/worker-contracts/route'
import { describe, expect, it } from 'vitest'

it.each([
  ['GET /health', { method: 'GET', path: '/health', parameters: [] }],
  ['GET /', { method: 'GET', path: '/', parameters: [] }],
  ['POST /apikeys/:id/rotate', { method: 'POST', path: '/apikeys/:id/rotate', parameters: ['id'] }],
  ['PUT /:tenant/:worker', { method: 'PUT', path: '/:tenant/:worker', parameters: ['tenant', 'worker'] }],
  ['PATCH /things/:id+', { method: 'PATCH', path: '/things/:id+', parameters: ['id'] }],
  ['DELETE /:ns/things/:id+', { method: 'DELETE', path: '/:ns/things/:id+', parameters: ['ns', 'id'] }],
] as const)('takes %s apart', (route, parsed) => {
  expect(parseRoute(route)).toMatchObject(parsed)
})

it.each(['GET /:id+/x', 'GET /:id+x', 'GET /:a+/:b+', 'GET /:a+/:b'] as const)('refuses %s: what takes the rest comes last', (route) => {
  expect(() => parseRoute(route)).toThrow('takes the rest of the path, so it comes last')
})

describe('matching', () => {
  const routed = routedOperations(db)

  it.each([
    ['GET', '/things', 'list', {}],
    ['GET', '/things/note/hello', 'get', { id: 'note/hello' }],
    ['HEAD', '/things/note/hello', 'get', { id: 'note/hello' }],
    ['DELETE', '/things/a%2Fb', 'delete', { id: 'a/b' }],
    ['GET', '/things/%E0%A4%A', 'get', { id: '%E0%A4%A' }],
    ['GET', '/history/a/b/c', 'history', { id: 'a/b/c' }],
    ['POST', '/things', 'upsert', {}],
  ])('sends %s %s to %s', (method, path, name, parameters) => {
    expect(matchOperation(routed, method, path)).toMatchObject({ routed: { name }, parameters })
  })

  it.each([
    ['PUT', '/things'],
    ['GET', '/things/'],
    ['GET', '/thingsx'],
    ['HEAD', '/batch'],
    ['GET', '/x/things'],
    ['GET', ''],
  ])('sends %s %s nowhere', (method, path) => {
    expect(matchOperation(routed, method, path)).toBeUndefined()
  })

  it('takes a dot in a path for a dot', () => {
    const { pattern } = parseRoute('GET /a.b/:id')

    expect(pattern.test('/a.b/1')).toBe(true)
    expect(pattern.test('/axb/1')).toBe(false)
  })
})
