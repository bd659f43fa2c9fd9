import { parseRoute } from '@dot-do/worker-contracts/route'
import { expect, it } from 'vitest'

it.each([
  ['GET /health', { method: 'GET', path: '/health', parameters: [], greedy: undefined }],
  ['GET /', { method: 'GET', path: '/', parameters: [], greedy: undefined }],
  ['POST /apikeys/:id/rotate', { method: 'POST', path: '/apikeys/:id/rotate', parameters: ['id'], greedy: undefined }],
  ['PUT /:tenant/:worker', { method: 'PUT', path: '/:tenant/:worker', parameters: ['tenant', 'worker'], greedy: undefined }],
  ['PATCH /things/:id+', { method: 'PATCH', path: '/things/:id+', parameters: ['id'], greedy: 'id' }],
  ['DELETE /:ns/things/:id+', { method: 'DELETE', path: '/:ns/things/:id+', parameters: ['ns', 'id'], greedy: 'id' }],
] as const)('takes %s apart', (route, parsed) => {
  expect(parseRoute(route)).toEqual(parsed)
})

it.each(['GET /:id+/x', 'GET /:id+x', 'GET /:a+/:b+', 'GET /:a+/:b'] as const)('refuses %s: what takes the rest comes last', (route) => {
  expect(() => parseRoute(route)).toThrow('takes the rest of the path, so it comes last')
})
