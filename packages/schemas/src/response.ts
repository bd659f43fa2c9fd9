import type { ErrorCode } from '@dot-do/worker-types'
import * as z from 'zod'

const codes = {
  INVALID: 'INVALID',
  UNAUTHENTICATED: 'UNAUTHENTICATED',
  FORBIDDEN: 'FORBIDDEN',
  NOT_FOUND: 'NOT_FOUND',
  CONFLICT: 'CONFLICT',
  TOO_LARGE: 'TOO_LARGE',
  RATE_LIMITED: 'RATE_LIMITED',
  INTERNAL: 'INTERNAL',
  UPSTREAM: 'UPSTREAM',
  UNAVAILABLE: 'UNAVAILABLE',
} as const satisfies { [Code in ErrorCode]: Code }

/** The codes a failure can have. */
export const errorCodeSchema = z.enum(codes)

/** One thing wrong with an input; `path` is dotted from its root, empty for the whole. */
export const errorDetailSchema = z.object({ path: z.string(), message: z.string() })

/** The wire form of a failure. */
export const apiErrorSchema = z.object({
  code: errorCodeSchema,
  message: z.string(),
  details: z.array(errorDetailSchema).optional(),
  requestId: z.string().optional(),
})

/** What accompanies an answer without being part of it. */
export const responseMetaSchema = z.object({ requestId: z.string().optional(), timestamp: z.iso.datetime().optional() })

/** The envelope of every HTTP answer, around the schema of what a success carries. */
export function apiResponseSchema<Data extends z.ZodType>(data: Data) {
  return z.discriminatedUnion('success', [
    z.object({ success: z.literal(true), data, meta: responseMetaSchema.optional() }),
    z.object({ success: z.literal(false), error: apiErrorSchema, meta: responseMetaSchema.optional() }),
  ])
}
