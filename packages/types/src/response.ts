import type { ErrorCode, ErrorDetail } from './errors.ts'

/** What accompanies an answer without being part of it. */
export interface ResponseMeta {
  requestId?: string
  /** When the answer was made, ISO 8601 in UTC. */
  timestamp?: string
}

/** The one wire form of a failure. `message` is meant for whoever asked and holds no secret. */
export interface ApiError {
  code: ErrorCode
  message: string
  details?: ErrorDetail[]
  requestId?: string
}

/** The envelope of every HTTP answer, but for protocols that prescribe their own (OAuth, MCP, webhook receivers). */
export type ApiResponse<Data> = { success: true; data: Data; meta?: ResponseMeta } | { success: false; error: ApiError; meta?: ResponseMeta }
