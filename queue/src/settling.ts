import type { Env } from './env.ts'
import type { ClaimedJob } from './job-row.ts'
import { keepResult } from './payloads.ts'
import type { Outcome } from './run-job.ts'
import type { Settlement } from './turns.ts'

/** Nobody waits longer between two attempts. */
const MAX_BACKOFF_SECONDS = 3_600

/** Those that failed together do not come back together: each waits up to a quarter longer. */
const JITTER = 0.25

/** What an attempt's outcome makes of the job. */
export async function settlementOf(job: ClaimedJob, outcome: Outcome, env: Pick<Env, 'QUEUE_BUCKET'>): Promise<Settlement> {
  const { id } = job
  if (outcome.kind === 'cancelled') return { id, state: 'cancelled' }
  if (outcome.kind === 'parked') return { id, state: 'delayed', run_at: outcome.until }
  if (outcome.kind === 'completed') {
    const { inline, key } = await keepResult(id, outcome.result, env)
    return { id, state: 'completed', ...(key === undefined ? { result: inline } : { result_key: key }) }
  }
  const now = Date.now()
  const error = { attempt: job.attempts, at: new Date(now).toISOString(), code: outcome.error.code, message: storable(outcome.error.message) }
  if (outcome.final || job.attempts >= job.maxAttempts) return { id, state: 'dead', error }
  return { id, state: 'failed', error, run_at: new Date(now + backoffMs(job, Math.random())).toISOString() }
}

/** How long until the next attempt: doubled each time, at most an hour. `random` is in [0, 1), as `Math.random`. */
export function backoffMs({ attempts, backoffSeconds }: Pick<ClaimedJob, 'attempts' | 'backoffSeconds'>, random: number): number {
  const seconds = Math.min(MAX_BACKOFF_SECONDS, backoffSeconds * 2 ** (attempts - 1))
  return Math.min(MAX_BACKOFF_SECONDS, seconds * (1 + JITTER * random)) * 1000
}

function storable(message: string): string {
  return message.toWellFormed().replaceAll('\u0000', '\uFFFD')
}
