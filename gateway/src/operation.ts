import { answerTo } from '@dot-do/worker-kernel/http'
import { beforeInput, demand } from '@dot-do/worker-kernel/identity'
import { gatherInput } from '@dot-do/worker-kernel/input'
import type { CallOptions } from '@dot-do/worker-types'
import type { MatchedOperation } from '@dot-do/worker-contracts/route'
import { partingHeaders } from './departure.ts'
import type { Env } from './env.ts'
import { pass } from './passage.ts'
import { timeoutOf, type Reachable } from './services.ts'
import type { Visit } from './visit.ts'

/** The service that is called, by its name and its binding. */
interface Called {
  name: string
  binding: Reachable
  env: Env
}

/**
 * Calls an operation of a service over RPC, in the visitor's name, and answers as the service itself would over HTTP. A second HTTP request to write, read and
 * answer costs more than the call. Whether the visitor may is decided by the service; it is asked here too, so that a stranger's body is not read.
 */
export async function callOperation({ routed, parameters }: MatchedOperation, visit: Visit, { name, binding, env }: Called): Promise<Response> {
  const { request, query, requestId, traceparent, address, principal, headerCredential } = visit
  demand(principal, routed.operation.permission, beforeInput(routed.operation))
  const input = await gatherInput(routed, { request, query, parameters, headerCredential })
  const key = request.headers.get('Idempotency-Key')
  const options: CallOptions = { requestId, traceparent, address, onBehalfOf: principal, ...(key === null ? {} : { idempotencyKey: key }) }
  const methods = binding as unknown as Record<string, (input: unknown, call: CallOptions) => Promise<unknown>> // a binding has a method for each operation of its contract
  const perform = methods[routed.name]
  if (!perform) throw new TypeError(`The binding has no ${routed.name}`)
  const passage = { service: name, timeoutMs: timeoutOf(name, env), isRepeatable: routed.operation.kind === 'query' }
  const answer = await pass(passage, () => perform(input, options))
  return answerTo(request.method, routed.operation, { answer, headers: partingHeaders(visit) })
}
