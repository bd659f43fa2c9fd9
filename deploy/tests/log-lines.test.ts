import { describe, expect, it } from 'vitest'
import { linesOf } from '../src/log-lines.ts'

const at = Date.parse('2026-11-21T12:00:00Z')

describe('lines of a log', () => {
  it('are what was written and thrown, then the request', () => {
    const event = {
      eventTimestamp: at,
      outcome: 'exception',
      logs: [{ level: 'warn', timestamp: at, message: ['count', { a: 1 }] }],
      exceptions: [{ name: 'TypeError', message: 'no', timestamp: at + 1 }],
      event: { request: { method: 'GET', url: 'https://hello.do/x?key=secret', headers: { 'X-Request-ID': 'req_1' } } },
    }
    const common = { version: 3, requestId: 'req_1', outcome: 'exception' }

    expect(linesOf(JSON.stringify(event), 3)).toEqual([
      { ...common, at: '2026-11-21T12:00:00.000Z', level: 'warn', message: 'count {"a":1}' },
      { ...common, at: '2026-11-21T12:00:00.001Z', level: 'error', message: 'TypeError: no' },
      { ...common, at: '2026-11-21T12:00:00.001Z', level: 'error', message: 'GET /x exception' },
    ])
  })

  it.each(['', 'no JSON', '[]', '1', 'null'])('are none for what is no event: %s', (message) => {
    expect(linesOf(message, 1)).toEqual([])
  })
})
