import { parseBeginInput, type Transaction } from '@dot-do/worker-contracts/db-live'
import { demand } from '@dot-do/worker-kernel/identity'
import type { Call } from '@dot-do/worker-kernel/call'
import { ServiceError } from '@dot-do/worker-utils'
import { openSession, TransactionStub, withoutCause } from './connections.ts'
import { databaseError } from './database-error.ts'
import type { Env } from './env.ts'
import { LiveTransaction } from './transports/live.ts'

/** Opens a transaction under the calling service's own role, on a connection of its own: over TCP where that is the transport, else through a WebSocket. */
export async function begin(input: unknown, { principal, env }: Call<Env>): Promise<Transaction & Disposable> {
  demand(principal, 'db:begin')
  const { readOnly } = parseBeginInput(input ?? {})
  // As with execute, the role is a Worker's own.
  if (principal.kind !== 'service') throw new ServiceError('FORBIDDEN', 'Only a service may begin a transaction, in its own name')
  const role = principal.id
  try {
    const session = await openSession(role, env).catch((thrown: unknown) => {
      throw databaseError(thrown)
    })
    return new TransactionStub(await LiveTransaction.begin(session, role, readOnly))
  } catch (thrown) {
    throw withoutCause(thrown)
  }
}
