import { jobTarget, type JobTarget } from '@dot-do/worker-contracts/job-types'
import type { Call } from '@dot-do/worker-kernel/call'
import type { AnyImplemented } from '@dot-do/worker-kernel/implement'
import { invoke } from '@dot-do/worker-kernel/invoke'
import { detailsOf } from '@dot-do/worker-schemas'
import type { CallOptions, ErrorCode, Principal } from '@dot-do/worker-types'
import { childTraceparent, log, ServiceError, toServiceError } from '@dot-do/worker-utils'
import type * as z from 'zod'
import { callerOf } from './callers.ts'
import type { Env } from './env.ts'
import { setJobContext, type JobContext } from './job-context.ts'
import type { JobRow } from './job-row.ts'
import { readPayload } from './payloads.ts'
import { service } from './service.ts'

/** What came of an attempt. `final` means that another one would end the same way. A parked job has begun and waits; its attempt does not count. */
export type Outcome =
  { kind: 'completed'; result: unknown } | { kind: 'failed'; error: ServiceError; final: boolean } | { kind: 'parked'; until: string } | { kind: 'cancelled' }

/** A consumer of Cloudflare Queues has fifteen minutes; what takes longer is tried again. */
const TIMEOUT_MS = 14 * 60_000

/** Whoever ran a job so often and was never heard of again did not merely have bad luck. */
const MAX_LOSSES = 10

/** Where auth does not answer, nobody's authority is known: the job waits for so long, and no attempt is counted. */
const UNRESOLVED_MS = 15_000

/** The bindings by service. queue itself is called in process. */
const BINDINGS = { auth: 'AUTH_SERVICE', db: 'DB_SERVICE', schedule: 'SCHEDULE_SERVICE' } as const

/** Runs a job once, as whoever enqueued it, with the job's id as idempotency key. It does not throw. */
export async function runJob(job: JobRow, call: Call<Env>, context: JobContext): Promise<Outcome> {
  if (job.cancelRequestedAt !== null) return { kind: 'cancelled' }
  if (job.losses >= MAX_LOSSES) return inVain('UNAVAILABLE', `Whoever ran it was not heard of again, ${job.losses} times`)
  const target = jobTarget(job.type)
  if (!target) return inVain('NOT_FOUND', `Nothing does ${job.type} any more`)
  try {
    const principal = await callerOf(job, target, call)
    return await attempt({ job, target, principal, context }, call)
  } catch (thrown) {
    const error = toServiceError(thrown)
    if (error.code === 'FORBIDDEN') return { kind: 'failed', error, final: true }
    log('warn', 'job_unresolved', { job: job.id, requestId: job.requestId, code: error.code, reason: error.message, cause: error.cause })
    return { kind: 'parked', until: new Date(Date.now() + UNRESOLVED_MS).toISOString() }
  }
}

interface Attempt {
  job: JobRow
  target: JobTarget
  principal: Principal
  context: JobContext
}

async function attempt({ job, target, principal, context }: Attempt, call: Call<Env>): Promise<Outcome> {
  const parking: { until?: string } = {}
  let isFinal = false
  const observed: JobContext = { ...context, park: (until) => void (parking.until = until), giveUp: () => void (isFinal = true) }
  try {
    const payload = await readPayload(job, call.env)
    const parsed = target.operation.input.safeParse(payload)
    if (!parsed.success) return unfit(parsed.error as z.ZodError)
    const result = await within(TIMEOUT_MS, run({ job, target, principal, context: observed }, payload, call))
    return parking.until === undefined ? { kind: 'completed', result } : { kind: 'parked', until: parking.until }
  } catch (thrown) {
    if (parking.until !== undefined) return { kind: 'parked', until: parking.until }
    return context.isCancelled() ? { kind: 'cancelled' } : { kind: 'failed', error: toServiceError(thrown), final: isFinal }
  }
}

function run({ job, target, principal, context }: Attempt, payload: unknown, call: Call<Env>): Promise<unknown> {
  const about = { requestId: job.requestId, traceparent: childTraceparent(job.traceparent), idempotencyKey: job.id }
  if (target.service === 'queue') {
    const own: Call<Env> = { ...about, env: call.env, principal, via: 'queue', waitUntil: call.waitUntil }
    setJobContext(own, context)
    return invoke(service as unknown as AnyImplemented<Env>, { name: target.name, gather: () => payload }, own) // implement() checked operation against contract, name by name
  }
  const binding = BINDINGS[target.service as keyof typeof BINDINGS] // JOB_TARGETS is made of these services' contracts
  const bound = call.env[binding] as unknown as Record<string, (input: unknown, options: CallOptions) => Promise<unknown>>
  // A service's own jobs are made in queue's name: nobody may speak for a Worker. What it may do, callerOf has checked.
  return (
    bound[target.name]?.(payload, principal.kind === 'service' ? about : { ...about, onBehalfOf: principal }) ??
    Promise.reject(new ServiceError('UNAVAILABLE', `Nobody is bound who does ${target.type}`))
  )
}

function inVain(code: ErrorCode, message: string): Outcome {
  return { kind: 'failed', error: new ServiceError(code, message), final: true }
}

function unfit(error: z.ZodError): Outcome {
  const [first] = detailsOf(error)
  return inVain('INVALID', `What it was given does not fit any more${first ? `: payload.${first.path} ${first.message}` : ''}`)
}

async function within<Result>(limitMs: number, running: Promise<Result>): Promise<Result> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new ServiceError('UNAVAILABLE', `It took longer than ${limitMs / 60_000} minutes`)), limitMs)
  try {
    return await Promise.race([running, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
