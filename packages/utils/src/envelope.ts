import type { ApiError, ApiResponse, ErrorCode, ResponseMeta } from '@dot-do/worker-types'
import { ServiceError } from './service-error.ts'

type Success<Data> = Extract<ApiResponse<Data>, { success: true }>
type Failure = Extract<ApiResponse<never>, { success: false }>

/** Puts an answer into the envelope every HTTP answer has. */
export function success<Data>(data: Data, meta?: ResponseMeta): Success<Data> {
  return meta === undefined ? { success: true, data } : { success: true, data, meta }
}

/** Puts a failure into the envelope: code, sentence, details. The stack and the cause stay behind. */
export function error(failure: ServiceError, requestId?: string): Failure
export function error(code: ErrorCode, message: string, requestId?: string): Failure
export function error(failure: ServiceError | ErrorCode, text?: string, requestId?: string): Failure {
  if (failure instanceof ServiceError) return { success: false, error: publicPart(failure, text) }
  return { success: false, error: publicPart(new ServiceError(failure, text ?? ''), requestId) }
}

function publicPart({ code, message, details }: ServiceError, requestId: string | undefined): ApiError {
  return { code, message, ...(details && { details }), ...(requestId !== undefined && { requestId }) }
}
