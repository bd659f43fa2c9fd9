import type { Header } from '@dot-do/worker-middleware/answer-headers'
import { corsHeaders } from '@dot-do/worker-middleware/cors'
import { rateLimitHeaders } from '@dot-do/worker-middleware/rate-limit'
import type { Runtime } from './recognition.ts'
import { logRequest } from './request-log.ts'
import { trackRequest } from './tracking.ts'
import type { Visit } from './visit.ts'

/**
 * What every answer leaves with: its id, its limits, its time, and who may read it. Who may read a published worker's answers is that worker's matter. An answer that
 * is made with them says so, since a header that is set afterwards costs five times as much.
 */
export function partingHeaders(visit: Visit): [name: string, value: string][] {
  const { request, requestId, startedAt, target, decision, readers } = visit
  const durationMs = Date.now() - startedAt
  const headers: Header[] = target?.published ? [] : corsHeaders(request.headers.get('Origin'), { allow: readers })
  if (decision) headers.push(...rateLimitHeaders(decision))
  headers.push(['X-Request-ID', requestId], ['X-Response-Time', `${durationMs}ms`], ['Server-Timing', `gateway;dur=${durationMs}`])
  visit.hasParted = true
  return headers as [string, string][] // of which nothing else keeps a part
}

/** Lets an answer go, and notes that it went. */
export function dismiss(visit: Visit, answer: Response, runtime: Runtime): Response {
  const { request, path, host, requestId, traceparent, startedAt, principal, target } = visit
  const durationMs = Date.now() - startedAt
  const { status } = answer
  const { method } = request
  logRequest({ method, host, path, status, durationMs, service: target?.service ?? null, principal: principal.id, requestId, traceparent }, runtime)
  trackRequest(visit, { status, durationMs }, runtime)
  if (status === 101 || visit.hasParted) return answer
  const { headers } = answer
  for (const [name, value] of partingHeaders(visit)) {
    if (name === 'Vary' || name === 'Server-Timing') headers.append(name, value)
    else headers.set(name, value)
  }
  return answer
}
