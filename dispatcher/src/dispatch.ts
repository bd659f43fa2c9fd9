import { errorAnswer } from '@dot-do/worker-middleware/error-handler'
import type { Call } from '@dot-do/worker-kernel/call'
import { allows, createLog, toServiceError } from '@dot-do/worker-utils'
import { refuseStranger } from './access.ts'
import type { WorkerAddress } from './address.ts'
import { reportCanary } from './canary-reports.ts'
import type { Env } from './env.ts'
import { scriptOf } from './namespaces.ts'
import { knownPointer } from './pointers.ts'
import { cleanAnswer, cleanRequest } from './published-http.ts'
import { nothingPublished, targetOf, UNMANAGED, type Target } from './target.ts'
import { knownSettings } from './tenant-settings.ts'
import { isAbsent, workerError } from './worker-error.ts'

/** Tells deploy's trial of a version that the worker failed and not the way to it. Strangers are not told: to them it is one failure as another. */
const FAILED_HEADER = 'x-dotdo-dispatch'

/** Tells the gateway that nothing is published, apart from a worker that answers 404: the same header, which no worker's answer keeps. */
const NOTHING = 'nothing'

/** The whole life of a request to a published worker: what is live, who may call it, which version, and the call within its tenant's limits. */
export async function dispatch(request: Request, address: WorkerAddress, call: Call<Env>): Promise<Response> {
  const { env, principal } = call
  const pointer = await knownPointer(address, call)
  const target = targetOf(address, pointer, { headers: request.headers, nowMs: Date.now(), random: Math.random })
  refuseStranger(target.kept.access, address.tenant, principal)
  const settings = await knownSettings(address.tenant, call)
  const inner = cleanRequest(request, address.path, call)
  const outcome = await run(() => scriptOf(target.kept, { ...address, settings }, env).fetch(inner))
  count(outcome, { target, address, call })
  if ('thrown' in outcome) return failure(outcome.thrown, { target, address, call })
  return cleanAnswer(outcome.answer, { version: target.kept.version, requestId: call.requestId, cookie: target.choice?.cookie })
}

/** Answers with an error's envelope; where it will pass, with when to come back. */
export function refusal(thrown: unknown, requestId: string): Response {
  const error = toServiceError(thrown)
  const answer = errorAnswer(error, requestId)
  answer.headers.set('X-Request-ID', requestId)
  if (error.code === 'UNAVAILABLE') answer.headers.set('Retry-After', '1')
  if (error.code === 'NOT_FOUND') answer.headers.set(FAILED_HEADER, NOTHING)
  if (error.status >= 500 && error.cause !== undefined) createLog()('error', 'dispatch_failed', { requestId, message: error.message, cause: error.cause })
  return answer
}

type Outcome = { answer: Response } | { thrown: unknown }

/** What is dispatched, for its errors and counts. */
interface Dispatched {
  target: Target
  address: WorkerAddress
  call: Call<Env>
}

async function run(call: () => Promise<Response>): Promise<Outcome> {
  try {
    return { answer: await call() }
  } catch (thrown) {
    return { thrown }
  }
}

function count(outcome: Outcome, { target, address, call }: Dispatched): void {
  const { choice, environment } = target
  if (!choice?.isCanary) return
  const isError = 'thrown' in outcome || outcome.answer.status >= 500
  reportCanary({ ...address, environment, version: choice.version, startedAt: choice.startedAt }, isError, call)
}

function failure(thrown: unknown, { target, address, call }: Dispatched): Response {
  const { requestId, principal } = call
  const { tenant, worker } = address
  if (target.kept.version === UNMANAGED && isAbsent(thrown)) return refusal(nothingPublished(address), requestId)
  createLog(call.env.LOG_LEVEL)('warn', 'worker_failed', { tenant, worker, version: target.kept.version, requestId, cause: thrown })
  const mayKnow = allows(principal.permissions, '*')
  const { error, isOwn } = workerError(thrown, mayKnow)
  const answer = refusal(error, requestId)
  if (mayKnow && isOwn) answer.headers.set(FAILED_HEADER, 'error')
  return answer
}
