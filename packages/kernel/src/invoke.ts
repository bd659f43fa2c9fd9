import type { AnyOperation } from '@dot-do/worker-contracts/contract'
import { detailsOf } from '@dot-do/worker-schemas'
import { log, ServiceError, toServiceError } from '@dot-do/worker-utils'
import type * as z from 'zod'
import type { Call } from './call.ts'
import { beforeInput, demand } from './identity.ts'
import type { AnyImplemented } from './implement.ts'
import { once } from './ledger.ts'

/** Which operation is asked for, and how its raw input is come by once the asker may ask at all. */
export interface Asked {
  name: string
  gather(): unknown
}

/**
 * The one way to an operation, whatever the interface: authorise, gather and parse the input, idempotency, run, strip the output.
 * The input is gathered late, so that a stranger's body is not even read. Throws a ServiceError without a cause; the cause is logged here.
 */
export async function invoke<Env>(service: AnyImplemented<Env>, { name, gather }: Asked, call: Call<Env>): Promise<unknown> {
  const { contract, operations, ledger, refused, observed } = service
  const operation = contract.operations[name]
  const run = operations[name]
  const startedAt = Date.now()
  let status = 200
  try {
    if (!operation || !run) throw new ServiceError('NOT_FOUND', `${contract.name} has no operation ${name}`)
    demand(call.principal, operation.permission, beforeInput(operation))
    const input = parseInput(operation, await gather())
    if (operation.resource) demand(call.principal, operation.permission, operation.resource(input, call.principal))
    const begin = (inner: Call<Env>): unknown => run(input, inner)
    const answer =
      operation.repeat === 'keyed' && ledger ? await once(ledger, { operation: name, secret: operation.secret, input, call }, begin) : await begin(call)
    return stripOutput(operation, answer)
  } catch (thrown) {
    const { via, principal, requestId } = call
    const error = publicError(thrown, { service: contract.name, operation: name, via, principal: principal.id, requestId })
    status = error.status
    if (operation?.kind === 'command' && call.principal.kind !== 'anonymous') await refused?.(name, error, call)
    throw error
  } finally {
    observed?.({ operation: name, status, durationMs: Date.now() - startedAt }, call)
  }
}

function parseInput(operation: AnyOperation, raw: unknown): never {
  const parsed = operation.input.safeParse(raw ?? {})
  if (!parsed.success) throw new ServiceError('INVALID', 'The input does not fit', { details: detailsOf(parsed.error as z.ZodError) })
  return parsed.data as never // each operation takes what its own schema parsed; implement() checked the pair
}

function stripOutput(operation: AnyOperation, answer: unknown): unknown {
  const parsed = operation.output.safeParse(answer)
  if (!parsed.success) throw new TypeError('The answer does not keep the contract', { cause: detailsOf(parsed.error as z.ZodError) })
  return parsed.data
}

function publicError(thrown: unknown, about: Record<string, string>): ServiceError {
  const error = toServiceError(thrown)
  const { code, message, details, cause } = error
  if (error.status >= 500) log('error', 'operation_failed', { ...about, code, message, cause })
  return cause === undefined ? error : new ServiceError(code, message, { details })
}
