import type { ErrorCode, ErrorDetail } from '@dot-do/worker-types'

/** What each code means to HTTP, and whether the same call may succeed later. The only place that says so. */
export const ERROR_TABLE: Readonly<Record<ErrorCode, { readonly status: number; readonly transient: boolean }>> = {
  INVALID: { status: 400, transient: false },
  UNAUTHENTICATED: { status: 401, transient: false },
  FORBIDDEN: { status: 403, transient: false },
  NOT_FOUND: { status: 404, transient: false },
  CONFLICT: { status: 409, transient: false },
  TOO_LARGE: { status: 413, transient: false },
  RATE_LIMITED: { status: 429, transient: true },
  INTERNAL: { status: 500, transient: false },
  UPSTREAM: { status: 502, transient: true },
  UNAVAILABLE: { status: 503, transient: true },
}

/** What a ServiceError may carry besides its code and its sentence. */
export interface ServiceErrorOptions {
  details?: ErrorDetail[] | undefined
  /** What really happened. It is logged and never sent. */
  cause?: unknown
}

/**
 * The one failure an operation throws. `message` is public: one sentence, no secret.
 *
 * `name`, `code` and `details` are own enumerable properties because those are what survives workerd's RPC; the class does not. A `cause` that cannot be cloned
 * costs an error all of them there, so whoever lets one out over RPC logs the cause and leaves it behind.
 */
export class ServiceError extends Error {
  override name = 'ServiceError'
  readonly code: ErrorCode
  declare readonly details?: ErrorDetail[]

  constructor(code: ErrorCode, message: string, options: ServiceErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    if (options.details !== undefined) this.details = options.details
  }

  /** The HTTP status the code stands for. */
  get status(): number {
    return ERROR_TABLE[this.code].status
  }

  /** Whether the same call may succeed when tried again. */
  get transient(): boolean {
    return ERROR_TABLE[this.code].transient
  }
}

/** Whether a text is one of the codes of the table, and not merely a property every object has. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERROR_TABLE, code)
}

/** Recognises a ServiceError, also one that crossed RPC. A stranger becomes INTERNAL, and keeps its text to itself. */
export function toServiceError(thrown: unknown): ServiceError {
  if (thrown instanceof ServiceError) return thrown
  if (thrown instanceof Error && 'code' in thrown && isErrorCode(thrown.code)) {
    return new ServiceError(thrown.code, thrown.message, { details: 'details' in thrown ? detailsFrom(thrown.details) : undefined, cause: thrown.cause })
  }
  return new ServiceError('INTERNAL', 'Something went wrong on our side', { cause: thrown })
}

function detailsFrom(value: unknown): ErrorDetail[] | undefined {
  if (!Array.isArray(value)) return undefined
  const details = value.filter(isDetail).map(({ path, message }) => ({ path, message }))
  return details.length > 0 ? details : undefined
}

function isDetail(value: unknown): value is ErrorDetail {
  return (
    typeof value === 'object' && value !== null && 'path' in value && typeof value.path === 'string' && 'message' in value && typeof value.message === 'string'
  )
}
