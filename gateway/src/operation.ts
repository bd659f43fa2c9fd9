import { answerTo } from '@dot-do/worker-kernel/http'
import { beforeInput, demand } from '@dot-do/worker-kernel/identity'
import { gatherInput } from '@dot-do/worker-kernel/input'
import type { CallOptions } from '@dot-do/worker-types'
import type { MatchedOperation } from '@dot-do/worker-contracts/route'
import type { Reachable } from './services.ts'
import type { Visit } from './visit.ts'

/**
 * Calls an operation of a service over RPC, in the visitor's name, and answers as the service itself would over HTTP. A second HTTP request to write, read and
 * answer costs more than the call. Whether the visitor may is decided by the service; it is asked here too, so that a stranger's body is not read.
 */
export async function callOperation({ routed, parameters }: MatchedOperation, visit: Visit, service: Reachable): Promise<Response> {
  const { request, url, requestId, traceparent, principal, headerCredential } = visit
  demand(principal, routed.operation.permission, beforeInput(routed.operation))
  const input = await gatherInput(routed, { request, url, parameters, headerCredential })
  const key = request.headers.get('Idempotency-Key')
  const options: CallOptions = { requestId, traceparent, onBehalfOf: principal, ...(key === null ? {} : { idempotencyKey: key }) }
  const methods = service as unknown as Record<string, (input: unknown, call: CallOptions) => Promise<unknown>> // a binding has a method for each operation of its contract
  const perform = methods[routed.name]
  if (!perform) throw new TypeError(`The binding has no ${routed.name}`)
  return answerTo(request.method, routed.operation, await perform(input, options))
}
