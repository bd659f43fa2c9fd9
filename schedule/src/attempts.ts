import type { JobError } from '@dot-do/worker-contracts/job'
import { callOf, type Call } from '@dot-do/worker-kernel/call'
import type { AnyImplemented } from '@dot-do/worker-kernel/implement'
import { invoke } from '@dot-do/worker-kernel/invoke'
import type { CallOptions, ErrorCode } from '@dot-do/worker-types'
import { isErrorCode, log, ServiceError, toServiceError } from '@dot-do/worker-utils'
import type * as z from 'zod'
import { resolveAuthority, type Authority } from './authority.ts'
import type { Env } from './env.ts'
import { askOutside } from './outside.ts'
import { service } from './service.ts'
import type { TaskRow } from './tables.ts'
import { problemOf, withArguments, type Target } from './target.ts'

/** One attempt at an execution, as the database began it. */
export interface Attempt {
  id: string
  attempt: number
  trigger: string
  scheduledFor: string
  arguments: Record<string, unknown> | null
  principal: Authority
  jobId: string | null
}

/** How an attempt ended; migrations/0003_executing.sql takes it so. */
export interface Ending {
  state: 'completed' | 'failed' | 'cancelled'
  result?: unknown
  error?: { code: string; message: string } | null
  /** Whether another attempt would end alike. */
  final?: boolean
}

/** What nothing but a change of the task or of somebody's rights can mend. */
const FINAL: ReadonlySet<string> = new Set<ErrorCode>(['INVALID', 'UNAUTHENTICATED', 'FORBIDDEN', 'TOO_LARGE'])

/** The largest result that is kept whole, in characters of JSON; of a larger one, the first of them. */
const RESULT_LENGTH = 131_072
const BEGINNING_LENGTH = 16_384

/** Makes an attempt at a call or a request, and says how it ended; it never throws. The same attempt made twice has its effect once, where its target knows idempotency keys. */
export async function runAttempt(task: TaskRow, attempt: Attempt, { call, signal }: { call: Call<Env>; signal: AbortSignal }): Promise<Ending> {
  try {
    const target = withArguments(task.target, attempt.arguments)
    const problem = problemOf(target)
    if (problem) throw problem
    return { state: 'completed', result: keptResult(await perform(target, attempt, { call, signal })) }
  } catch (thrown) {
    return failureOf(thrown, { task: task.id, execution: attempt.id })
  }
}

/** The ending of a job, as queue tells it. */
export function endingOfJob(state: 'completed' | 'dead' | 'cancelled', result: unknown, error: z.output<typeof JobError> | null): Ending {
  if (state === 'completed') return { state, result: keptResult(result) }
  const told = error && { code: error.code, message: error.message }
  if (state === 'cancelled') return { state, error: told }
  return { state: 'failed', error: told ?? { code: 'INTERNAL', message: 'The job is dead' }, final: told !== null && FINAL.has(told.code) }
}

/** Why no attempt can be made at all, as the database notes it. */
export function refusalOf(target: Target): { code: string; message: string } | undefined {
  const problem = problemOf(target)
  return problem && { code: problem.code, message: problem.message }
}

async function perform(target: Target, { id, principal }: Attempt, { call, signal }: { call: Call<Env>; signal: AbortSignal }): Promise<unknown> {
  const onBehalfOf = await resolveAuthority(principal, call)
  const options: CallOptions = { requestId: id, traceparent: call.traceparent, idempotencyKey: id, ...(onBehalfOf && { onBehalfOf }) }
  if (target.kind === 'http') {
    return askOutside(target, { 'Idempotency-Key': id, traceparent: call.traceparent }, signal)
  }
  if (target.kind === 'job') throw new ServiceError('INTERNAL', 'A job is run by queue')
  return callService(target, { call, options })
}

async function callService(
  { operation, input }: Extract<Target, { kind: 'operation' }>,
  { call, options }: { call: Call<Env>; options: CallOptions },
): Promise<unknown> {
  const { env } = call
  const [name = '', method = ''] = operation.split('.')
  if (name === 'schedule') return callOneself(method, input, { call, options })
  const bindings: Record<string, unknown> = { auth: env.AUTH_SERVICE, db: env.DB_SERVICE, deploy: env.DEPLOY_SERVICE, dispatcher: env.DISPATCHER_SERVICE }
  // problemOf found the operation in that service's contract, whose operations are its methods.
  const binding = bindings[name] as Record<string, (input: unknown, options: CallOptions) => Promise<unknown>>
  return binding[method]?.(input, options)
}

/** As by a binding of its own, which would give it what its upkeep needs. */
function callOneself(name: string, input: unknown, { call, options }: { call: Call<Env>; options: CallOptions }): Promise<unknown> {
  const props = { principal: { id: 'schedule', permissions: ['schedule:maintain'] }, delegate: { permissions: ['*'] } }
  const own = callOf({ env: call.env, props, waitUntil: call.waitUntil }, 'rpc', options)
  return invoke(service as unknown as AnyImplemented<Env>, { name, gather: () => input }, own) // implement() checked operation against contract, name by name
}

function failureOf(thrown: unknown, about: Record<string, string>): Ending {
  const { code, message, cause } = toServiceError(thrown)
  log('warn', 'attempt_failed', { ...about, code, message, cause })
  const result = isAnswer(cause) ? { result: cause } : {}
  return { state: 'failed', error: { code: isErrorCode(code) ? code : 'INTERNAL', message }, final: FINAL.has(code), ...result }
}

/** What an outside host answered, where that was no success; askOutside adds it as the cause. */
function isAnswer(cause: unknown): boolean {
  return typeof cause === 'object' && cause !== null && 'status' in cause && 'body' in cause && 'truncated' in cause
}

function keptResult(result: unknown): unknown {
  const text = JSON.stringify(result) ?? 'null'
  return text.length <= RESULT_LENGTH ? result : text.slice(0, BEGINNING_LENGTH)
}
