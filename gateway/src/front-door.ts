import { identify } from '@dot-do/worker-kernel/credentials'
import { demand } from '@dot-do/worker-kernel/identity'
import type { Header } from '@dot-do/worker-middleware/answer-headers'
import { readCredential } from '@dot-do/worker-middleware/auth'
import { corsHeaders, isPreflight, preflightHeaders, type CorsOptions } from '@dot-do/worker-middleware/cors'
import { errorAnswer } from '@dot-do/worker-middleware/error-handler'
import { rateLimitHeaders } from '@dot-do/worker-middleware/rate-limit'
import { createLog, parseApiKey, ServiceError, toServiceError } from '@dot-do/worker-utils'
import { answerReference, referencePath } from './docs/reference.ts'
import type { Env } from './env.ts'
import { forward } from './forward.ts'
import { take } from './limits.ts'
import { mergedDocument } from './merged-document.ts'
import { callOperation } from './operation.ts'
import { findOperation, limitClassOf, SERVICE_NAMES, SERVICES } from './services.ts'
import { logRequest } from './request-log.ts'
import { trackRequest } from './tracking.ts'
import { dropUnreadBody } from './unread-body.ts'
import { beginVisit, type Visit } from './visit.ts'

/** The whole life of a request from outside: route, identify, limit, call. Every answer leaves with its id, its limits and its time. */
export async function receive(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
  const origin = request.headers.get('Origin')
  const cors: CorsOptions = { allow: env.CORS_ORIGINS.split(',') }
  const visit = beginVisit(request, { services: SERVICE_NAMES, hostSuffix: env.HOST_SUFFIX })
  // Who may read a published worker's answers is that worker's matter.
  const isPublished = visit.target?.published !== undefined
  if (!isPublished && isPreflight(request))
    return new Response(null, { status: 204, headers: preflightHeaders(origin, cors).map(([name, value]) => [name, value]) })
  const answer = await serve(visit, { env, ctx }).catch((thrown: unknown) => refuse(thrown, visit))
  return dismiss(visit, { answer, cors: isPublished ? [] : corsHeaders(origin, cors), runtime: { env, ctx } })
}

async function serve(visit: Visit, { env, ctx }: { env: Env; ctx: ExecutionContext }): Promise<Response> {
  const { request, url, target } = visit
  const found = target && findOperation(target, request.method)
  visit.operation = found?.routed.name
  const refused = await recognise(visit, env)
  visit.decision = await take(target ? limitClassOf(target, found) : 'default', visit, env)
  if (!visit.decision.allowed) throw new ServiceError('RATE_LIMITED', `More than ${visit.decision.limit} requests a minute; Retry-After says when to come back`)
  if (refused) throw refused
  if (!target) throw new ServiceError('NOT_FOUND', `Nothing is at ${url.pathname}; /openapi.json lists what is`)
  // Whatever a route promises, these paths are for those who say who they are.
  if (!target.published && url.pathname.startsWith('/_')) demand(visit.principal, 'authenticated')
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  if (target.service === 'gateway' && target.path === '/openapi.json') return Response.json(await mergedDocument(env))
  const reference = target.service === 'gateway' && isRead ? referencePath(target.path) : undefined
  if (reference !== undefined) return answerReference(reference, visit, env)
  const service = SERVICES[target.service]?.binding?.(env)
  return found && service ? callOperation(found, visit, service) : forward(target, visit, { env, ctx })
}

/** Finds out who asks. A credential that does not hold is kept until the request is counted, or guessing keys would be free. */
async function recognise(visit: Visit, env: Env): Promise<ServiceError | undefined> {
  const { request, address, requestId, traceparent, target } = visit
  const credential = readCredential(request.headers)
  // A published worker may have users and keys of its own: only what is a key of the platform's by its form is taken for one there.
  if (!credential || (target?.published && !parseApiKey(credential.token))) return undefined
  try {
    visit.principal = await identify(credential, { address, call: { requestId, traceparent } }, env)
    visit.headerCredential = credential.scheme !== 'cookie'
    return undefined
  } catch (thrown) {
    return toServiceError(thrown)
  }
}

async function refuse(thrown: unknown, { request, requestId }: Visit): Promise<Response> {
  await dropUnreadBody(request)
  const error = toServiceError(thrown)
  if (error.status >= 500) createLog()('error', 'request_failed', { requestId, code: error.code, message: error.message, cause: error.cause })
  return errorAnswer(error, requestId)
}

function dismiss(visit: Visit, { answer, cors, runtime }: { answer: Response; cors: Header[]; runtime: { env: Env; ctx: ExecutionContext } }): Response {
  const { request, url, requestId, traceparent, startedAt, principal, target, decision } = visit
  const durationMs = Date.now() - startedAt
  const { status } = answer
  const service = target?.service ?? null
  const { method } = request
  logRequest({ method, host: url.host, path: url.pathname, status, durationMs, service, principal: principal.id, requestId, traceparent }, runtime)
  trackRequest(visit, { status, durationMs }, runtime)
  if (answer.status === 101) return answer
  const { headers } = answer
  for (const [name, value] of cors) headers.append(name, value)
  for (const [name, value] of decision ? rateLimitHeaders(decision) : []) headers.set(name, value)
  headers.set('X-Request-ID', requestId)
  headers.set('X-Response-Time', `${durationMs}ms`)
  headers.append('Server-Timing', `gateway;dur=${durationMs}`)
  return answer
}
