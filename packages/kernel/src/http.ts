import type { Contract } from '@dot-do/worker-contracts/contract'
import { parseRoute } from '@dot-do/worker-contracts/route'
import { setHeaders } from '@dot-do/worker-middleware/answer-headers'
import { errorAnswer, errorHandler } from '@dot-do/worker-middleware/error-handler'
import { readCredential } from '@dot-do/worker-middleware/auth'
import { requestIdOf } from '@dot-do/worker-middleware/request-id'
import type { CallOptions } from '@dot-do/worker-types'
import { ServiceError, success } from '@dot-do/worker-utils'
import type { Context } from 'hono'
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
  const app = new Hono<HttpEnv<Env>>()
  app.use(async (c, next) => {
    c.set('requestId', requestIdOf(c.req.raw.headers))
    await next()
    // c.json has set it already; the answers of errors and other Workers come without, and may be frozen.
    if (c.res.headers.get('X-Request-ID') !== c.var.requestId) setHeaders(c, [['X-Request-ID', c.var.requestId]])
  })
  app.use(async (c, next) => {
    const runtime = c.executionCtx as unknown as Runtime<Env> // fetch below is the only caller, and hands over just this
    const { call, headerCredential } = await receive(c.req.raw, runtime, c.var.requestId)
    c.set('requestId', call.requestId)
    c.set('call', call)
    c.set('headerCredential', headerCredential)
    c.header('X-Request-ID', call.requestId)
    await next()
  })
  for (const name of Object.keys(service.contract.operations)) addRoute(app, service, name)
  app.get('/openapi.json', (c) => c.json(service.document))
  const logged = errorHandler()
  // What invoke throws is a ServiceError that was logged there and lost its cause; all else is logged here.
  app.onError((error, c) => (error instanceof ServiceError && error.cause === undefined ? errorAnswer(error, c.var.requestId) : logged(error, c)))
  app.notFound((c) => errorAnswer(new ServiceError('NOT_FOUND', `No route ${c.req.method} ${c.req.path}; /openapi.json lists them`), c.var.requestId))
  return { app, fetch: async (request, runtime) => app.fetch(request, runtime.env as Env & object, runtime as unknown as ExecutionContext) }
}

function addRoute<Env>(app: Hono<HttpEnv<Env>>, service: AnyImplemented<Env>, name: string): void {
  const operation = service.contract.operations[name]
  if (!operation?.http) return
  const route = parseRoute(operation.http)
  const path = route.greedy ? route.path.replace(`:${route.greedy}+`, `:${route.greedy}{.+}`) : route.path
  app.on(route.method, path, async (c: Context<HttpEnv<Env>>) => {
    const input = { request: c.req.raw, parameters: c.req.param() as Record<string, string>, headerCredential: c.var.headerCredential }
    const answer = await invoke(service, { name, gather: () => gatherInput(operation, route, input) }, c.var.call)
    return c.json(success(answer), operation.status ? operation.status(answer as never) : 200)
  })
}

/** Makes the call of a request: at a binding's door by the caller's word, at the platform's door by a bare credential. */
async function receive<Env>(request: Request, runtime: Runtime<Env>, requestId: string): Promise<{ call: Call<Env>; headerCredential: boolean }> {
  const options = { requestId, ...ownOptions(request), ...(runtime.props === undefined ? {} : saidOptions(request)) }
  if (runtime.props !== undefined) return { call: callOf(runtime, 'http', options), headerCredential: options.credential === 'header' }
  const credential = readCredential(request.headers)
  const call = callOf(runtime, 'http', options)
  const sender = { address: request.headers.get('CF-Connecting-IP') ?? '', call: onward(call) }
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
