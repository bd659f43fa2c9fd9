import { callOf, type Call } from '@dot-do/worker-kernel/call'
import { demand } from '@dot-do/worker-kernel/identity'
import { isPreflight, preflightHeaders } from '@dot-do/worker-middleware/cors'
import { errorAnswer } from '@dot-do/worker-middleware/error-handler'
import type { Principal } from '@dot-do/worker-types'
import { createLog, ServiceError, toServiceError } from '@dot-do/worker-utils'
import { answerReference, referencePath } from './docs/reference.ts'
import { dismiss } from './departure.ts'
import { atDomain } from './domains.ts'
import type { Env } from './env.ts'
import { forward } from './forward.ts'
import { take } from './limits.ts'
import { mergedDocument } from './merged-document.ts'
import { readOpenly } from './open-reading.ts'
import { callOperation } from './operation.ts'
import { HeldBack } from './passage.ts'
import { recognise, type Runtime } from './recognition.ts'
import { isGuarded, isHost } from './routing.ts'
import { chargeOf, findOperation, SERVICE_NAMES, SERVICES } from './services.ts'
import { dropUnreadBody } from './unread-body.ts'
import { answerWhileAlive } from './vigil.ts'
import { beginVisit, type Visit } from './visit.ts'

/** The whole life of a request from outside: route, identify, limit, call. Every answer leaves with its id, its limits and its time. */
export async function receive(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
  if (!isHost(request.headers.get('Host') ?? '')) return errorAnswer(new ServiceError('INVALID', 'The Host header must name one host'))
  return admit(beginVisit(request, { services: SERVICE_NAMES, hostSuffix: env.HOST_SUFFIX }), { env, ctx })
}

/** The same for a request that a Worker of the platform sends in the name of whoever called it. */
export async function receiveFor(principal: Principal, request: Request, runtime: Runtime): Promise<Response> {
  const visit = beginVisit(request, { services: SERVICE_NAMES, hostSuffix: runtime.env.HOST_SUFFIX })
  return admit(Object.assign(visit, { principal, isKnown: true, headerCredential: true }), runtime)
}

async function admit(visit: Visit, runtime: Runtime): Promise<Response> {
  const { request } = visit
  if (visit.target?.domain !== undefined) visit.target = await atDomain(visit.target, lookUpCall(visit, runtime))
  visit.readers = visit.target?.openNs === undefined ? runtime.env.CORS_ORIGINS.split(',') : ['*']
  // A published worker answers its own.
  if (!visit.target?.published && isPreflight(request)) return answerPreflight(visit)
  const answer = await serve(visit, runtime).catch((thrown: unknown) => refuse(thrown, visit))
  return dismiss(visit, answer, runtime)
}

/** Tells a browser what a page may ask. It is not counted: it costs nothing, and every page that is not ours asks it first. */
function answerPreflight({ request, readers }: Visit): Response {
  const headers = preflightHeaders(request.headers.get('Origin'), { allow: readers })
  return new Response(null, { status: 204, headers: headers.map(([name, value]) => [name, value]) })
}

async function serve(visit: Visit, runtime: Runtime): Promise<Response> {
  const { env } = runtime
  const { request, path, target } = visit
  const found = target && findOperation(target, request.method)
  visit.operation = found?.routed.name
  // What is public is so for everybody: nobody is asked who they are, so that one answer is good for all.
  const refused = target?.openNs === undefined && !visit.isKnown ? await recognise(visit, runtime) : undefined
  visit.decision = await take(chargeOf(target, request.method, found), visit, runtime)
  if (!visit.decision.allowed) throw new ServiceError('RATE_LIMITED', `More than ${visit.decision.limit} requests a minute; Retry-After says when to come back`)
  if (refused) throw refused
  // Whatever a route promises, these paths are for those who say who they are.
  if (!target?.published && (isGuarded(path) || isGuarded(target?.path ?? ''))) demand(visit.principal, 'authenticated')
  if (!target) throw new ServiceError('NOT_FOUND', `Nothing is at ${path}; /openapi.json lists what is`)
  if (target.openNs !== undefined) return readOpenly(target.openNs, visit, env)
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  if (target.service === 'gateway' && target.path === '/openapi.json') return Response.json(await mergedDocument(env))
  const reference = target.service === 'gateway' && isRead ? referencePath(target.path) : undefined
  if (reference !== undefined) return answerReference(reference, visit, env)
  const binding = SERVICES[target.service]?.binding?.(env)
  if (found && binding) return callOperation(found, visit, { name: target.service, binding, env })
  return answerWhileAlive(await forward(target, visit, runtime), visit, runtime)
}

/** The gateway's own call to look a host up. */
function lookUpCall({ requestId, traceparent }: Visit, { env, ctx }: Runtime): Call<Env> {
  return callOf({ env, waitUntil: (promise) => ctx.waitUntil(promise) }, 'http', { requestId, traceparent })
}

async function refuse(thrown: unknown, visit: Visit): Promise<Response> {
  const { request, requestId } = visit
  visit.hasParted = false
  await dropUnreadBody(request)
  const error = toServiceError(thrown)
  if (error.status >= 500) createLog()('error', 'request_failed', { requestId, code: error.code, message: error.message, cause: error.cause })
  const answer = errorAnswer(error, requestId)
  if (error.code === 'UNAVAILABLE') answer.headers.set('Retry-After', String(error instanceof HeldBack ? error.retryAfterSeconds : 1))
  return answer
}
