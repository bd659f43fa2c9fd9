import { ServiceError } from '@dot-do/worker-utils'

/** What is wrong with one field of an input, as the sentence a person reads. */
export function refusal(path: string, message: string, code: 'INVALID' | 'TOO_LARGE' | 'CONFLICT' = 'INVALID'): ServiceError {
  return new ServiceError(code, `${path} ${message}`, { details: [{ path, message }] })
}
