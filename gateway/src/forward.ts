import { CALL_HEADER, http } from '@dot-do/worker-kernel/http'
import type { CallOptions } from '@dot-do/worker-types'
import type { Env } from './env.ts'
import { inTime, pass } from './passage.ts'
import { isPlatformCredential } from './recognition.ts'
import { service as gateway } from './service.ts'
import { PUBLISHED_TIMEOUT_MS, SERVICES, timeoutOf, type Reachable } from './services.ts'
import type { Target } from './routing.ts'
import type { Visit } from './visit.ts'
import { answerWaiting, readForm } from './waitlist.ts'

const CREDENTIALS = ['Authorization', 'X-API-Key', 'Cookie']

/** What only the platform says, and what only whoever stands in front of it says: of a request from outside it is a lie or a rumour. */
const NOT_FOR_VISITORS = /^(?:x-dotdo-|cf-|x-forwarded-|forwarded$|x-real-ip$|true-client-ip$|x-original-url$|x-rewrite-url$)/

/** How the dispatcher says of its 404 that nothing is published, and that it is no worker's own answer: workers cannot set it. */
const DISPATCH_HEADER = 'x-dotdo-dispatch'

/** What the gateway says to itself when a request is for its own operations: the same as its bindings' props say to others. */
const OWN_PROPS = { principal: { id: 'gateway', permissions: [] }, delegate: { permissions: ['*'] } }

/** Ten minutes: so much longer is waited for the answer to a large body, since it may be answered when all of it is there. */
const UPLOAD_MS = 600_000

/** 1 MiB: a body that says it has no more is there at once. */
const SMALL_BYTES = 1_048_576

/** Hands on a request that no contract route takes, under the service's own path, with who asks in the one header that services believe. Bodies stream through. */
export async function forward(target: Target, visit: Visit, runtime: { env: Env; ctx: ExecutionContext }): Promise<Response> {
  const { env, ctx } = runtime
  const { request, url } = visit
  const form = await readForm(visit)
  const address = new URL(url)
  address.pathname = target.path // and not by resolving: `//things` would name a host
  const inner = new Request(address, form === undefined ? request : { method: 'POST', headers: request.headers, body: form, redirect: 'manual' }) // which also keeps a redirect for the visitor to follow
  speakFor(visit, inner.headers)
  const binding = SERVICES[target.service]?.binding?.(env)
  const answer = binding
    ? await send(inner, { target, binding, env })
    : await http(gateway).fetch(inner, { env, props: OWN_PROPS, waitUntil: (promise) => ctx.waitUntil(promise) })
  // Another Worker's answer has frozen headers, and the way out sets some; a WebSocket's cannot be made again.
  if (answer.status === 101) return answer
  const waiting = target.published === 'host' && answer.headers.get(DISPATCH_HEADER) === 'nothing' ? await answerWaiting(visit, form, runtime) : undefined
  if (waiting) return waiting
  const own = new Response(answer.body, answer)
  own.headers.delete(DISPATCH_HEADER)
  confine(own, target)
  return own
}

/** Sends a request to a service, or by way of the dispatcher to a published worker: how one of those fares is no word on the way to the others. */
async function send(inner: Request, { target, binding, env }: { target: Target; binding: Reachable; env: Env }): Promise<Response> {
  const { service, published } = target
  const leave = new AbortController()
  const timeoutMs = (published ? PUBLISHED_TIMEOUT_MS : timeoutOf(service, env)) + (isLarge(inner) ? UPLOAD_MS : 0)
  const ask = () => binding.fetch(inner, { signal: leave.signal })
  try {
    if (published) return await inTime({ service: 'The worker', timeoutMs }, ask)
    const isRepeatable = inner.method === 'GET' || inner.method === 'HEAD'
    return await pass({ service, timeoutMs, isRepeatable }, isRepeatable ? () => askAgain(ask) : ask)
  } catch (thrown) {
    leave.abort()
    throw thrown
  }
}

function isLarge({ body, headers }: Request): boolean {
  const announced = headers.get('Content-Length')
  return body !== null && (announced === null || Number(announced) > SMALL_BYTES)
}

/** Asks once more where a service says that it is not to be had at the moment. */
async function askAgain(ask: () => Promise<Response>): Promise<Response> {
  const answer = await ask()
  if (answer.status !== 503) return answer
  await answer.body?.cancel()
  return ask()
}

/** Takes from the visitor's headers the credentials, which end here, and whatever is not for visitors to say; then says who asks, and from where. */
function speakFor({ requestId, traceparent, address, principal, headerCredential, target }: Visit, headers: Headers): void {
  for (const name of CREDENTIALS) if (endsHere(name, headers, target)) headers.delete(name)
  const forged = Array.from(headers.keys()).filter((name) => NOT_FOR_VISITORS.test(name))
  for (const name of forged) headers.delete(name)
  if (address !== '') headers.set('CF-Connecting-IP', address)
  const options: CallOptions = { requestId, traceparent, address, credential: headerCredential ? 'header' : 'cookie', onBehalfOf: principal }
  headers.set(CALL_HEADER, JSON.stringify(options))
}

/** Auth gets the cookies, which are its own: by them people sign in, stay so and leave. A published worker gets its own users' tokens, and on a host of its own its cookies; never a key or a cookie of the platform's. */
function endsHere(name: string, headers: Headers, target: Target | undefined): boolean {
  if (!target?.published) return name !== 'Cookie' || target?.service !== 'auth'
  if (name === 'Cookie') return target.published === 'path'
  const token = (headers.get(name) ?? '').replace(/^Bearer +/i, '')
  return isPlatformCredential(token)
}

/** Under a path of the platform's own hosts a worker may answer, but neither run a page in the platform's origin nor set the platform's cookies. */
function confine(answer: Response, target: Target): void {
  if (target.published !== 'path') return
  answer.headers.delete('Set-Cookie')
  answer.headers.set('Content-Security-Policy', 'sandbox')
}
