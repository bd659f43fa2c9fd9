import { toServiceError } from './service-error.ts'

/** How often, how long apart and for which failures `retry` tries again. */
export interface RetryOptions {
  /** Tries in all, the first included. */
  attempts?: number
  baseMs?: number
  capMs?: number
  isRetryable?: (thrown: unknown) => boolean
  sleep?: (ms: number) => Promise<void>
  /** In [0, 1), as `Math.random`. */
  random?: () => number
}

/**
 * Runs an operation until it succeeds, fails for good or runs out of attempts; then the last failure is thrown as it came.
 *
 * Waits between 0 and `baseMs · 2ⁿ`, at most `capMs` ("full jitter", AWS Architecture Blog, 2015): callers that failed together do not come back together.
 */
export async function retry<Result>(operation: (attempt: number) => Promise<Result>, options: RetryOptions = {}): Promise<Result> {
  const { attempts = 3, baseMs = 100, capMs = 5000, isRetryable = isTransient, sleep = pause, random = Math.random } = options
  for (let attempt = 1; ; attempt++) {
    try {
      return await operation(attempt)
    } catch (thrown) {
      if (attempt >= attempts || !isRetryable(thrown)) throw thrown
      await sleep(random() * Math.min(capMs, baseMs * 2 ** (attempt - 1)))
    }
  }
}

function isTransient(thrown: unknown): boolean {
  return toServiceError(thrown).transient
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
