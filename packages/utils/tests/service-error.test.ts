import { describe, expect, it } from 'vitest'
import { ERROR_TABLE, ServiceError, toServiceError } from '../src/service-error.ts'

/** What is left of an error after workerd's RPC: its own enumerable properties on a plain Error. */
function crossed(error: Error): Error {
  return Object.assign(new Error(error.message, { cause: error.cause }), { ...error }, { remote: true })
}

describe('ServiceError', () => {
  it.each(Object.entries({ INVALID: 400, UNAUTHENTICATED: 401, FORBIDDEN: 403, NOT_FOUND: 404, CONFLICT: 409, TOO_LARGE: 413 } as const))(
    'answers %s with status %i and is not tried again',
    (code, status) => {
      const error = new ServiceError(code as keyof typeof ERROR_TABLE, 'No')

      expect(error).toMatchObject({ status, transient: false })
    },
  )

  it('counts as transient exactly what may work later', () => {
    const transient = Object.entries(ERROR_TABLE).filter(([, { transient }]) => transient)

    expect(transient.map(([code, { status }]) => [code, status])).toEqual([
      ['RATE_LIMITED', 429],
      ['UPSTREAM', 502],
      ['UNAVAILABLE', 503],
    ])
  })
})

describe('toServiceError', () => {
  it('recognises an error that crossed RPC, with its details and cause', () => {
    const cause = new Error('why')
    const sent = new ServiceError('CONFLICT', 'Taken', { details: [{ path: 'name', message: 'Taken' }], cause })

    const received = toServiceError(crossed(sent))

    expect(received).toBeInstanceOf(ServiceError)
    expect(received).toMatchObject({ code: 'CONFLICT', message: 'Taken', details: [{ path: 'name', message: 'Taken' }], status: 409 })
    expect(received.cause).toBe(cause)
  })

  it('returns a ServiceError as it is', () => {
    const error = new ServiceError('NOT_FOUND', 'None')

    expect(toServiceError(error)).toBe(error)
  })

  it.each([
    ['an error of Node', Object.assign(new Error('connect 10.0.0.1'), { code: 'ECONNREFUSED' })],
    ['a code that every object has', Object.assign(new Error('x'), { code: 'constructor' })],
    ['a code that is not a text', Object.assign(new Error('x'), { code: ['INVALID'] })],
    ['an object that is no error', { code: 'INVALID', message: 'forged' }],
    ['a text', 'password=hunter2'],
    ['nothing', undefined],
  ])('keeps the text of %s to itself', (_, thrown) => {
    const error = toServiceError(thrown)

    expect(error).toMatchObject({ code: 'INTERNAL', message: 'Something went wrong on our side', status: 500 })
    expect(error.cause).toBe(thrown)
  })

  it('drops details that are not details', () => {
    const forged = Object.assign(new Error('No'), { code: 'INVALID', details: [{ path: 'a', message: 'b', stack: 'secret' }, { path: 1 }, null] })

    expect(toServiceError(forged).details).toEqual([{ path: 'a', message: 'b' }])
  })
})
