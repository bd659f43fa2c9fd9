import { CALL_HEADER, http } from '@dot-do/worker-kernel/http'
import type { CallOptions } from '@dot-do/worker-types'
import { parseApiKey } from '@dot-do/worker-utils'
import type { Env } from './env.ts'
import { service as gateway } from './service.ts'
import { SERVICES } from './services.ts'
import type { Target } from './routing.ts'
import type { Visit } from './visit.ts'

const CREDENTIALS = ['Authorization', 'X-API-Key', 'Cookie']

/** What the gateway says to itself when a request is for its own operations: the same as its bindings' props say to others. */
const OWN_PROPS = { principal: { id: 'gateway', permissions: [] }, delegate: { permissions: ['*'] } }

/** Hands on a request that no contract route takes, under the service's own path, with who asks in the one header that services believe. Bodies stream through. */
export async function forward(target: Target, visit: Visit, { env, ctx }: { env: Env; ctx: ExecutionContext }): Promise<Response> {
  const { request, url } = visit
  const { path, service } = target
  const address = new URL(url)
  address.pathname = path // and not by resolving: `//things` would name a host
  const inner = new Request(address, request) // which also keeps a redirect for the visitor to follow
  speakFor(visit, inner.headers)
  const binding = SERVICES[service]?.binding?.(env)
  const answer = binding
    ? await binding.fetch(inner)
    : await http(gateway).fetch(inner, { env, props: OWN_PROPS, waitUntil: (promise) => ctx.waitUntil(promise) })
  // Another Worker's answer has frozen headers, and the way out sets some; a WebSocket's cannot be made again.
  if (answer.status === 101) return answer
  const own = new Response(answer.body, answer)
  confine(own, target)
  return own
}

/** Takes from the visitor's headers the credentials, which end here, and whatever only the platform says; then says who asks. */
function speakFor({ requestId, traceparent, principal, headerCredential, target }: Visit, headers: Headers): void {
  for (const name of CREDENTIALS) if (endsHere(name, headers, target)) headers.delete(name)
  const platformsOwn = Array.from(headers.keys()).filter((name) => name.startsWith('x-dotdo-'))
  for (const name of platformsOwn) headers.delete(name)
  const options: CallOptions = { requestId, traceparent, credential: headerCredential ? 'header' : 'cookie', onBehalfOf: principal }
  headers.set(CALL_HEADER, JSON.stringify(options))
}

/** A published worker gets its own users' tokens, and on a host of its own its cookies; never a key or a cookie of the platform's. */
function endsHere(name: string, headers: Headers, target: Target | undefined): boolean {
  if (!target?.published) return true
  if (name === 'Cookie') return target.published === 'path'
  const token = (headers.get(name) ?? '').replace(/^Bearer +/i, '')
  return parseApiKey(token) !== undefined
}

/** Under a path of the platform's own hosts a worker may answer, but neither run a page in the platform's origin nor set the platform's cookies. */
function confine(answer: Response, target: Target): void {
  if (target.published !== 'path') return
  answer.headers.delete('Set-Cookie')
  answer.headers.set('Content-Security-Policy', 'sandbox')
}
