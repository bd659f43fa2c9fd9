import { describe, expect, it } from 'vitest'
import { error, success } from '../src/envelope.ts'
import { ServiceError } from '../src/service-error.ts'

describe('the envelope', () => {
  it('wraps an answer, with meta only where there is some', () => {
    expect(success({ id: 1 })).toEqual({ success: true, data: { id: 1 } })
    expect(success(null, { requestId: 'req_1' })).toEqual({ success: true, data: null, meta: { requestId: 'req_1' } })
  })

  it('says code, sentence, details and request id of a failure, and nothing of its cause or stack', () => {
    const failure = new ServiceError('INVALID', 'No', { details: [{ path: 'a', message: 'b' }], cause: new Error('hunter2') })

    expect(error(failure, 'req_1')).toEqual({
      success: false,
      error: { code: 'INVALID', message: 'No', details: [{ path: 'a', message: 'b' }], requestId: 'req_1' },
    })
  })

  it('makes a failure of a code and a sentence', () => {
    expect(error('NOT_FOUND', 'None', 'req_1')).toEqual({ success: false, error: { code: 'NOT_FOUND', message: 'None', requestId: 'req_1' } })
    expect(error('NOT_FOUND', 'None')).toEqual({ success: false, error: { code: 'NOT_FOUND', message: 'None' } })
  })
})
