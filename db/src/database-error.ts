import type { ErrorCode, ErrorDetail } from '@dot-do/worker-types'
import { isErrorCode, ServiceError, toServiceError } from '@dot-do/worker-utils'

/** SQLSTATEs by their beginning, the more exact first (PostgreSQL documentation, appendix A). `DO…` are raised by our own functions. */
const CODES: [start: string, code: ErrorCode][] = [
  ['DO404', 'NOT_FOUND'],
  ['DO409', 'CONFLICT'],
  ['23502', 'INVALID'],
  ['23514', 'INVALID'],
  ['23', 'CONFLICT'],
  ['40', 'UNAVAILABLE'],
  ['42501', 'FORBIDDEN'],
  ['25006', 'FORBIDDEN'],
  ['25P0', 'CONFLICT'], // a transaction that failed, or was left alone for too long
  ['08P01', 'INVALID'], // a statement that wants other parameters than it gets
  ['08', 'UNAVAILABLE'],
  ['53', 'UNAVAILABLE'],
  ['57', 'UNAVAILABLE'],
  ['0A', 'INVALID'],
  ['21', 'INVALID'],
  ['22', 'INVALID'],
  ['42', 'INVALID'],
  ['54', 'INVALID'],
]

/** Turns what the driver throws into an error of ours. Only the message is handed on: PostgreSQL's detail quotes values of rows. */
export function databaseError(thrown: unknown): ServiceError {
  const { code: sqlstate, message, detail, constraint } = fieldsOf(thrown)
  if (sqlstate === undefined) return unreachable(thrown)
  const code = CODES.find(([start]) => sqlstate.startsWith(start))?.[1]
  if (!code) return new ServiceError('INTERNAL', 'The database failed', { cause: thrown })
  if (sqlstate.startsWith('DO')) return new ServiceError(code, message, { details: [{ path: detail ?? '', message }] })
  const details: ErrorDetail[] = [{ path: 'sqlstate', message: sqlstate }]
  if (constraint !== undefined) details.push({ path: 'constraint', message: constraint })
  return new ServiceError(code, code === 'UNAVAILABLE' ? 'The database cannot answer now' : message, { details, cause: thrown })
}

/** An error of ours stays what it is, also one that a Durable Object made. */
function unreachable(thrown: unknown): ServiceError {
  if (thrown instanceof Error && 'code' in thrown && isErrorCode(thrown.code)) return toServiceError(thrown)
  return new ServiceError('UNAVAILABLE', 'The database cannot be reached', { cause: thrown })
}

function fieldsOf(thrown: unknown): { code?: string; message: string; detail?: string; constraint?: string } {
  if (!(thrown instanceof Error)) return { message: String(thrown) }
  const { code, detail, constraint } = thrown as Error & { code?: unknown; detail?: unknown; constraint?: unknown } // NeonDbError has them as text or undefined
  return {
    message: thrown.message,
    ...(typeof code === 'string' && code.length === 5 && { code }),
    ...(typeof detail === 'string' && { detail }),
    ...(typeof constraint === 'string' && { constraint }),
  }
}
