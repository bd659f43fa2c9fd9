import { afterEach, describe, expect, it, vi } from 'vitest'
import { createLog, log } from '../src/log.ts'
import { ServiceError } from '../src/service-error.ts'

const out = vi.spyOn(console, 'log').mockReturnValue(undefined)
const err = vi.spyOn(console, 'error').mockReturnValue(undefined)

afterEach(() => {
  out.mockClear()
  err.mockClear()
})

describe('log', () => {
  it('writes one JSON object on one line, with its level and event', () => {
    log('info', 'started', { note: 'two\nlines', level: 'forged', time: '2026-01-01T00:00:00Z' })

    const line = String(out.mock.calls[0]?.[0])
    expect(line).not.toContain('\n')
    expect(JSON.parse(line)).toEqual({ time: '2026-01-01T00:00:00Z', level: 'info', event: 'started', note: 'two\nlines' })
  })

  it.each([
    ['info', 'debug', 0],
    ['debug', 'debug', 1],
    ['error', 'warn', 0],
    ['error', 'error', 1],
    ['nonsense', 'info', 1],
    ['nonsense', 'debug', 0],
  ] as const)('from %s upwards writes %s lines %i times', (least, level, times) => {
    createLog(least)(level, 'x')

    expect(out.mock.calls.length + err.mock.calls.length).toBe(times)
  })

  it('sends warnings and errors to standard error', () => {
    log('error', 'x')

    expect(out).not.toHaveBeenCalled()
    expect(err).toHaveBeenCalledOnce()
  })

  it.each([
    ['a key named so', { password: 'hunter2' }],
    ['a nested key', { a: [{ clientSecret: 'hunter2' }] }],
    ['a header', { headers: { Authorization: 'Bearer hunter2', Cookie: 'hunter2', 'x-api-key': 'hunter2' } }],
    ['a key in a text', { path: 'hunter2 sk_live_abc' }],
    ['a cause', { cause: new Error('x', { cause: new Error('hunter2 sk_test_abc') }) }],
  ])('hides the secret in %s', (_, fields) => {
    log('info', 'x', fields)

    const line = String(out.mock.calls[0]?.[0])
    expect(line).toContain('[redacted]')
    expect(line).not.toContain('hunter2')
  })

  it('opens errors with their causes', () => {
    log('info', 'x', { error: new ServiceError('UPSTREAM', 'No', { cause: new Error('why') }) })

    expect(JSON.parse(String(out.mock.calls[0]?.[0]))).toMatchObject({
      error: { name: 'ServiceError', code: 'UPSTREAM', message: 'No', cause: { message: 'why' } },
    })
  })

  it('survives what JSON cannot say', () => {
    const circular: Record<string, unknown> = { big: 1n }
    circular.self = circular
    const thrower = Object.defineProperty({}, 'x', { enumerable: true, get: () => expect.unreachable() })

    log('info', 'circular', circular)
    log('info', 'thrower', thrower)

    expect(out.mock.calls.map(([line]) => JSON.parse(String(line)))).toMatchObject([
      { event: 'circular', big: '1' },
      { event: 'thrower', unloggable: true },
    ])
  })
})
