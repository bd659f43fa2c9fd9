import type { JobError } from '@dot-do/worker-contracts/job'
import { batch } from '@dot-do/worker-data/database'
import { onward, type Call } from '@dot-do/worker-kernel/call'
import { log, toServiceError } from '@dot-do/worker-utils'
import type * as z from 'zod'
import type { Env } from './env.ts'
import type { JobRow } from './job-row.ts'
import { readResult } from './payloads.ts'
import { textArray, type Settlement } from './turns.ts'

/** A job and what its attempt made of it. */
export interface Ended {
  job: Pick<JobRow, 'id' | 'origin'>
  settlement: Settlement
}

type Untold = Pick<JobRow, 'id' | 'origin' | 'state' | 'result' | 'resultKey' | 'errors'>

/** So many are told of at a time. */
const MAX_UNTOLD = 100

/** Tells schedule what became of jobs that its tasks enqueued. Those that it could not be told of are kept in mind by their `origin`. It does not throw. */
export async function tellOrigins(ended: readonly Ended[], call: Call<Env>): Promise<void> {
  const over = ended.flatMap(({ job: { id, origin }, settlement: { state, result, result_key, error } }): Untold[] =>
    origin === null || state === 'failed' || state === 'delayed'
      ? []
      : [{ id, origin, state, result: result ?? null, resultKey: result_key ?? null, errors: error ? [error] : [] }],
  )
  await tell(over, call)
}

/** Tells of those that ended and of which nobody could be told then. */
export async function tellForgottenOrigins(call: Call<Env>): Promise<void> {
  const sql = `select id, origin, state, result, result_key, errors from queue.jobs where origin is not null and finished_at is not null order by finished_at limit ${MAX_UNTOLD}`
  const [found] = await batch(call, [{ sql, params: [] }])
  const untold = (found?.rows ?? []).map(([id, origin, state, result, resultKey, errors]) => ({ id, origin, state, result, resultKey, errors }) as Untold) // the columns just named
  await tell(untold, call)
}

async function tell(untold: readonly Untold[], call: Call<Env>): Promise<void> {
  if (untold.length === 0) return
  try {
    const told = await Promise.all(untold.map((job) => tellOf(job, call)))
    const ids = untold.flatMap(({ id }, index) => (told[index] ? [id] : []))
    await batch(call, [{ sql: 'update queue.jobs set origin = null where id = any ($1::text[])', params: [textArray(ids)] }])
  } catch (thrown) {
    failed(thrown, call)
  }
}

async function tellOf({ id: job, origin, state, errors, ...kept }: Untold, call: Call<Env>): Promise<boolean> {
  const execution = /^schedule\/(exec_.*)$/.exec(origin ?? '')?.[1]
  if (execution === undefined) return true
  try {
    const error: z.input<typeof JobError> | null = errors.at(-1) ?? null
    const result = await readResult(kept, call.env)
    const input = { id: execution, job, state: state as 'completed' | 'dead' | 'cancelled', error: state === 'dead' ? error : null } // only what ended is told of
    await call.env.SCHEDULE_SERVICE.settleExecution({ ...input, ...(result === undefined ? {} : { result }) }, onward(call))
    return true
  } catch (thrown) {
    const { code } = failed(thrown, call)
    // An execution that is there no more wants to know nothing.
    return code === 'NOT_FOUND'
  }
}

function failed(thrown: unknown, { requestId }: Call<Env>) {
  const error = toServiceError(thrown)
  const { code, message, cause } = error
  log('warn', 'origin_not_told', { requestId, code, message, cause })
  return error
}
