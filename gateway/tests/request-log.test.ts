import { describe, expect, it } from 'vitest'
import { requestLine, type RequestFields } from '../src/request-log.ts'

const NOW = Date.parse('2026-11-01T12:00:00.000Z')
const FIELDS: RequestFields = {
  method: 'GET',
  host: 'localhost:8787',
  path: '/db/things',
  status: 200,
  durationMs: 3,
  service: 'db',
  principal: 'key_1',
  requestId: 'req_1',
  traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
}

describe('the line of a request', () => {
  it('is JSON with all its fields', () => {
    const line = requestLine({ ...FIELDS, service: null }, NOW)

    expect(JSON.parse(line)).toEqual({ time: '2026-11-01T12:00:00.000Z', level: 'info', event: 'request', ...FIELDS, service: null })
  })

  it.each(['/db/"},{"x":"', '/db/a\nb', '/db/ü', '/db/%22', '/db/\\'])('is one line of JSON whatever the path: %j', (path) => {
    const line = requestLine({ ...FIELDS, path }, NOW)

    expect(line).not.toContain('\n')
    expect(JSON.parse(line)).toMatchObject({ event: 'request', path })
  })

  it.each([{ path: '/db/things/sk_test_abc' }, { requestId: 'sk_live_abc' }, { host: 'sk_test_abc.do' }])('holds no key: %j', (chosen) => {
    expect(requestLine({ ...FIELDS, ...chosen }, NOW)).not.toMatch(/sk_(?:test|live)_abc/)
  })
})
