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
  ['GET /:ns/things/:id*', { method: 'GET', path: '/:ns/things', parameters: ['ns'] }],
] as const)('takes %s apart', (route, parsed) => {
  expect(parseRoute(route)).toMatchObject(parsed)
})

it.each(['GET /:id+/x', 'GET /:id+x', 'GET /:a+/:b+', 'GET /:a+/:b', 'GET /:id*/x', 'GET /:id*x', 'GET /:a*/:b*', 'GET /x:id*'] as const)(
  'refuses %s: what takes the rest comes last',
  (route) => {
    expect(() => parseRoute(route)).toThrow('takes the rest of the path, so it comes last')
  },
)

describe('matching', () => {
  const routed = routedOperations(db)

  it.each([
    ['GET', '/things', 'list', {}],
    ['GET', '/things/*', 'list', { id: '*' }],
    ['GET', '/things/note/*', 'list', { id: 'note/*' }],
    ['GET', '/things/**/x', 'list', { id: '**/x' }],
    ['HEAD', '/things/note/%2A', 'list', { id: 'note/*' }],
    ['GET', '/things/note/*%3a%3ANote', 'list', { id: 'note/*::Note' }],
    ['GET', '/things/::Note', 'list', { id: '::Note' }],
    ['GET', '/things/Thing::Note', 'list', { id: 'Thing::Note' }],
    ['GET', '/things/Thing%3A%3aNote', 'list', { id: 'Thing::Note' }],
    ['GET', '/things/Thing', 'get', { id: 'Thing' }],
    ['GET', '/things/note/hello', 'get', { id: 'note/hello' }],
    ['GET', '/things/note/hello::Note', 'get', { id: 'note/hello::Note' }],
    ['GET', '/things/note/hello%3A%3ANote@2', 'get', { id: 'note/hello::Note@2' }],
    ['GET', '/things/note/hello@2026-01-01T00:00:00Z', 'get', { id: 'note/hello@2026-01-01T00:00:00Z' }],
    ['DELETE', '/things/note/*', 'delete', { id: 'note/*' }],
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
