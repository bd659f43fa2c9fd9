import { CALL_HEADER, http } from '@dot-do/worker-kernel/http'
import type { CallOptions } from '@dot-do/worker-types'
import type { Env } from './env.ts'
import { service as gateway } from './service.ts'
import { SERVICES } from './services.ts'
import type { Target } from './routing.ts'
import type { Visit } from './visit.ts'

const CREDENTIALS = ['Authorization', 'X-API-Key', 'Cookie']

/** What the gateway says to itself when a request is for its own operations: the same as its bindings' props say to others. */
const OWN_PROPS = { principal: { id: 'gateway', permissions: [] }, delegate: { permissions: ['*'] } }

/** Hands on a request that no contract route takes, under the service's own path, with who asks in the one header that services believe. Bodies stream through. */
export async function forward({ path, service }: Target, visit: Visit, { env, ctx }: { env: Env; ctx: ExecutionContext }): Promise<Response> {
  const { request, url } = visit
  const own = new URL(url)
  own.pathname = path // and not by resolving: `//things` would name a host
  const inner = new Request(own, request) // which also keeps a redirect for the visitor to follow
  speakFor(visit, inner.headers)
  const binding = SERVICES[service]?.binding?.(env)
  const answer = binding
    ? await binding.fetch(inner)
    : await http(gateway).fetch(inner, { env, props: OWN_PROPS, waitUntil: (promise) => ctx.waitUntil(promise) })
  // Another Worker's answer has frozen headers, and the way out sets some; a WebSocket's cannot be made again.
  return answer.status === 101 ? answer : new Response(answer.body, answer)
}

/** Takes from the visitor's headers the credentials, which end here, and whatever only the platform says; then says who asks. */
function speakFor({ requestId, traceparent, principal, headerCredential }: Visit, headers: Headers): void {
  for (const name of CREDENTIALS) headers.delete(name)
  const platformsOwn = Array.from(headers.keys()).filter((name) => name.startsWith('x-dotdo-'))
  for (const name of platformsOwn) headers.delete(name)
  const options: CallOptions = { requestId, traceparent, credential: headerCredential ? 'header' : 'cookie', onBehalfOf: principal }
  headers.set(CALL_HEADER, JSON.stringify(options))
}
