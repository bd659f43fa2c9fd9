import type { AnyOperation, Contract } from '@dot-do/worker-contracts/contract'
import { matchOperation, routedOperations, type MatchedOperation } from '@dot-do/worker-contracts/route'
import { setHeaders } from '@dot-do/worker-middleware/answer-headers'
import { errorAnswer } from '@dot-do/worker-middleware/error-handler'
import { requestIdOf } from '@dot-do/worker-middleware/request-id'
import { credentialOf } from '@dot-do/worker-middleware/same-origin'
import type { CallOptions } from '@dot-do/worker-types'
import { log, ServiceError, success, toServiceError } from '@dot-do/worker-utils'
import { Hono } from 'hono/tiny'
import { callOf, onward, type Call, type Runtime } from './call.ts'
import { identify, type HasAuth } from './credentials.ts'
import { ANONYMOUS } from './identity.ts'
import type { AnyImplemented, Implemented } from './implement.ts'
import { gatherInput } from './input.ts'
import { invoke } from './invoke.ts'

/** Carries a gateway's or service's CallOptions over a binding's fetch. Honoured only with the binding's props; never from outside. */
export const CALL_HEADER = 'x-dotdo-call'

/** What a route written by hand finds in its context: `c.var.call`, and `c.env` as the Worker's env. */
export interface HttpEnv<Env> {
  Bindings: Env & object
  Variables: { requestId: string; call: Call<Env>; headerCredential: boolean }
}

/** A service's HTTP side: the Hono app to add routes to, and the fetch of either door. */
export interface HttpService<Env> {
  app: Hono<HttpEnv<Env>>
  fetch(request: Request, runtime: Runtime<Env>): Promise<Response>
}

const made = new WeakMap<object, unknown>()

/** The HTTP projection. One service has one app: asking again gives the same, so that routes added in index.ts are served at both doors. */
export function http<C extends Contract, Env>(implemented: Implemented<C, Env>): HttpService<Env> {
  const known = made.get(implemented) as HttpService<Env> | undefined // only the line below puts one in, under its own service
  const service = known ?? project(implemented as unknown as AnyImplemented<Env>) // implement() checked operation against contract, name by name
  made.set(implemented, service)
  return service
}

function project<Env>(service: AnyImplemented<Env>): HttpService<Env> {
  const routed = routedOperations(service.contract)
  const app = handwritten(service)
  return {
    app,
    async fetch(request, runtime) {
      const url = new URL(request.url)
      const matched = matchOperation(routed, request.method, url.pathname)
      if (!matched) return app.fetch(request, runtime.env as Env & object, runtime as unknown as ExecutionContext)
      return serve(service, matched, { request, url, runtime })
    },
  }
}

/** Serves a route of the contract. */
async function serve<Env>(
  service: AnyImplemented<Env>,
  { routed, parameters }: MatchedOperation,
  { request, url, runtime }: { request: Request; url: URL; runtime: Runtime<Env> },
): Promise<Response> {
  let requestId = requestIdOf(request.headers)
  try {
    const { call, headerCredential } = await receive(request, runtime, requestId)
    requestId = call.requestId
    const gather = () => gatherInput(routed, { request, query: url.search, parameters, headerCredential })
    const answer = await invoke(service, { name: routed.name, gather }, call)
    return answerTo(request.method, routed.operation, { answer, headers: [['X-Request-ID', requestId]] })
  } catch (thrown) {
    return refusal(thrown, requestId)
  }
}

/** An operation's answer over HTTP: in the envelope, under the status that its contract gives it. To HEAD without the body. Headers are cheapest where they come at once. */
export function answerTo(method: string, operation: AnyOperation, { answer, headers }: { answer: unknown; headers: [string, string][] }): Response {
  const status = operation.status ? operation.status(answer as never) : 200 // it is what the output schema let through
  const about = { status, headers: { 'Content-Type': 'application/json', ...Object.fromEntries(headers) } }
  return new Response(method === 'HEAD' ? null : JSON.stringify(success(answer)), about)
}

/** What no contract route takes: the document, the routes written by hand, and everything that is not there. */
function handwritten<Env>(service: AnyImplemented<Env>): Hono<HttpEnv<Env>> {
  const app = new Hono<HttpEnv<Env>>()
  app.use(async (c, next) => {
    c.set('requestId', requestIdOf(c.req.raw.headers))
    await next()
    setHeaders(c, [['X-Request-ID', c.var.requestId]])
  })
  app.use(async (c, next) => {
    const runtime = c.executionCtx as unknown as Runtime<Env> // project's fetch is the only caller, and hands over just this
    const { call, headerCredential } = await receive(c.req.raw, runtime, c.var.requestId)
    c.set('requestId', call.requestId)
    c.set('call', call)
    c.set('headerCredential', headerCredential)
    await next()
  })
  app.get('/openapi.json', (c) => c.json(service.document))
  app.onError((error, c) => refusal(error, c.var.requestId))
  app.notFound((c) => refusal(new ServiceError('NOT_FOUND', `No route ${c.req.method} ${c.req.path}; /openapi.json lists them`), c.var.requestId))
  return app
}

/** What invoke throws is a ServiceError that was logged there and lost its cause; a fault of ours that comes another way is logged here. */
function refusal(thrown: unknown, requestId: string): Response {
  const error = toServiceError(thrown)
  const { code, message, cause } = error
  if (error.status >= 500 && cause !== undefined) log('error', 'request_failed', { requestId, code, message, cause })
  return marked(errorAnswer(error, requestId), requestId)
}

function marked(answer: Response, requestId: string): Response {
  answer.headers.set('X-Request-ID', requestId)
  return answer
}

/** Makes the call of a request: at a binding's door by the caller's word, at the platform's door by a bare credential. */
async function receive<Env>(request: Request, runtime: Runtime<Env>, requestId: string): Promise<{ call: Call<Env>; headerCredential: boolean }> {
  const options = { requestId, ...ownOptions(request), ...(runtime.props === undefined ? {} : saidOptions(request)) }
  if (runtime.props !== undefined) return { call: callOf(runtime, 'http', options), headerCredential: options.credential === 'header' }
  const credential = credentialOf(request)
  const address = request.headers.get('CF-Connecting-IP') ?? ''
  const call = callOf(runtime, 'http', { ...options, address })
  const sender = { address, call: onward(call), waitUntil: runtime.waitUntil }
  const principal = credential ? await identify(credential, sender, runtime.env as HasAuth) : ANONYMOUS
  return { call: { ...call, principal }, headerCredential: credential !== undefined && credential.scheme !== 'cookie' }
}

function ownOptions(request: Request): CallOptions {
  const traceparent = request.headers.get('traceparent')
  const idempotencyKey = request.headers.get('Idempotency-Key')
  return { ...(traceparent === null ? {} : { traceparent }), ...(idempotencyKey === null ? {} : { idempotencyKey }) }
}

function saidOptions(request: Request): CallOptions {
  const said = request.headers.get(CALL_HEADER)
  if (said === null) return {}
  try {
    return JSON.parse(said) as CallOptions // written by a Worker that the binding's props name; callOf checks the one part that gives rights
  } catch (cause) {
    throw new ServiceError('INVALID', `${CALL_HEADER} is not JSON`, { cause })
  }
}
