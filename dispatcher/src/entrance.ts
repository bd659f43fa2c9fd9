import { callOf, type Call, type Runtime } from '@dot-do/worker-kernel/call'
import { CALL_HEADER } from '@dot-do/worker-kernel/http'
import { requestIdOf } from '@dot-do/worker-middleware/request-id'
import type { CallOptions } from '@dot-do/worker-types'
import { ServiceError } from '@dot-do/worker-utils'
import { addressOf, type Address, type WorkerAddress } from './address.ts'
import { dispatch, refusal } from './dispatch.ts'
import { knownDomain } from './domains.ts'
import type { Env } from './env.ts'

/** Answers what a binding's caller asks of published workers; undefined for what is the dispatcher's own to answer. */
export async function enter(request: Request, runtime: Runtime<Env>): Promise<Response | undefined> {
  const url = new URL(request.url)
  const found = addressOf(request.headers.get('Host') ?? url.host, url.pathname, runtime.env.HOST_SUFFIX)
  if (found.kind === 'own') return undefined
  const requestId = requestIdOf(request.headers)
  try {
    const call = callFrom(request, runtime, requestId)
    const address = await publishedAddress(found, call)
    if (!address) throw new ServiceError('NOT_FOUND', `Nothing is published at ${url.host}; publish with POST /deploy at deploy.do, or add the domain there`)
    return await dispatch(request, address, call).catch((thrown: unknown) => refusal(thrown, call.requestId))
  } catch (thrown) {
    return refusal(thrown, requestId)
  }
}

/** Whose worker is at an address; undefined if nobody's. */
export async function publishedAddress(found: Address, call: Call<Env>): Promise<WorkerAddress | undefined> {
  if (found.kind === 'worker') return found.address
  if (found.kind !== 'custom') return undefined
  const domain = await knownDomain(found.host, call)
  return domain ? { tenant: domain.tenant, worker: domain.worker, environment: domain.environment, path: found.path } : undefined
}

function callFrom(request: Request, runtime: Runtime<Env>, requestId: string): Call<Env> {
  const said = request.headers.get(CALL_HEADER)
  const traceparent = request.headers.get('traceparent') ?? undefined
  return callOf(runtime, 'http', { requestId, traceparent, ...(said === null ? {} : optionsFrom(said)) })
}

function optionsFrom(said: string): CallOptions {
  try {
    return JSON.parse(said) as CallOptions // written by a Worker that the binding's props name; callOf checks the one part that gives rights
  } catch (cause) {
    throw new ServiceError('INVALID', `${CALL_HEADER} is not JSON`, { cause })
  }
}
