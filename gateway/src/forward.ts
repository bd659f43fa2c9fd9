import { CALL_HEADER, http } from '@dot-do/worker-kernel/http'
import type { CallOptions } from '@dot-do/worker-types'
import type { Env } from './env.ts'
import { service as gateway } from './service.ts'
import { SERVICES } from './services.ts'
import type { Target } from './routing.ts'
import type { Visit } from './visit.ts'

/** What the gateway says to itself when a request is for its own operations: the same as its bindings' props say to others. */
const OWN_PROPS = { principal: { id: 'gateway', permissions: [] }, delegate: { permissions: ['*'] } }

/** Hands a request to its service under the service's own path, with who asks in the one header that services believe. Bodies stream through. */
export function forward({ path, service }: Target, visit: Visit, { env, ctx }: { env: Env; ctx: ExecutionContext }): Promise<Response> {
  const { request, url } = visit
  const own = new URL(url)
  own.pathname = path // and not by resolving: `//things` would name a host
  const inner = new Request(own, { method: request.method, headers: innerHeaders(visit), body: request.body, redirect: 'manual' })
  const binding = SERVICES[service]?.binding?.(env)
  if (binding) return binding.fetch(inner)
  return http(gateway).fetch(inner, { env, props: OWN_PROPS, waitUntil: (promise) => ctx.waitUntil(promise) })
}

/** The visitor's headers without credentials, which end here, and without anything that only the platform says. */
function innerHeaders({ request, requestId, traceparent, principal }: Visit): Headers {
  const headers = new Headers(request.headers)
  for (const name of request.headers.keys()) if (name.startsWith('x-dotdo-')) headers.delete(name)
  const credential = headers.has('Authorization') || headers.has('X-API-Key') ? 'header' : 'cookie'
  headers.delete('Authorization')
  headers.delete('X-API-Key')
  headers.delete('Cookie')
  const options: CallOptions = { requestId, traceparent, credential, onBehalfOf: principal }
  headers.set(CALL_HEADER, JSON.stringify(options))
  return headers
}
