import { error, type Log, log, type ServiceError, toServiceError } from '@dot-do/worker-utils'
import type { ErrorHandler } from 'hono'

/** Answers with a failure's envelope and status. The stack and the cause stay behind, and no cache keeps it. */
export function errorAnswer(thrown: unknown, requestId?: string): Response {
  const failure = toServiceError(thrown)
  const headers = new Headers({ 'Cache-Control': 'no-store' })
  if (failure.code === 'UNAUTHENTICATED') headers.set('WWW-Authenticate', challengeOf(failure))
  return Response.json(error(failure, requestId), { status: failure.status, headers })
}

/** For `app.onError`: answers whatever was thrown by `errorAnswer`, and logs what is our own fault or our providers', cause included. */
export function errorHandler(write: Log = log): ErrorHandler {
  return (thrown, c) => {
    const failure = toServiceError(thrown)
    const requestId: unknown = c.get('requestId')
    const id = typeof requestId === 'string' ? requestId : undefined
    if (failure.status >= 500) {
      const { code, message, cause } = failure
      write('error', 'request_failed', { method: c.req.method, path: c.req.path, requestId: id, code, message, cause })
    }
    return errorAnswer(failure, id)
  }
}

/** RFC 6750 §3: whoever came without a credential is not told of an error in it. */
function challengeOf({ details }: ServiceError): string {
  return details?.some(({ path }) => path === 'credential') ? 'Bearer error="invalid_token"' : 'Bearer'
}
