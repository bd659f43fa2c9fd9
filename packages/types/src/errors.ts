/** Every failure any interface can report. Status and retry follow from the code alone; the table is in utils. */
export type ErrorCode =
  'INVALID' | 'UNAUTHENTICATED' | 'FORBIDDEN' | 'NOT_FOUND' | 'CONFLICT' | 'TOO_LARGE' | 'RATE_LIMITED' | 'INTERNAL' | 'UPSTREAM' | 'UNAVAILABLE'

/** One thing wrong with an input: `path` is dotted from its root (`commands.0.input.$id`), empty for the whole. */
export interface ErrorDetail {
  path: string
  message: string
}
