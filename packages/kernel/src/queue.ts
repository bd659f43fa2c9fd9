import type { Contract } from '@dot-do/worker-contracts/contract'
import { queueMessageSchema } from '@dot-do/worker-schemas'
import type { QueueMessage } from '@dot-do/worker-types'
import { childTraceparent, log, ServiceError, toServiceError } from '@dot-do/worker-utils'
import type { Call } from './call.ts'
import type { AnyImplemented, Implemented } from './implement.ts'
import { invoke } from './invoke.ts'

/** The longest wait before a message is tried again, in seconds. */
const MAX_DELAY_SECONDS = 3_600

/**
 * The queue projection: runs each message as a call with the message's id as idempotency key.
 * A failure is tried again with growing delays; what the queue's configuration says is too often lands in its dead letter queue, so nothing is lost.
 */
export function consumer<C extends Contract, Env>(implemented: Implemented<C, Env>): (batch: MessageBatch, env: Env, ctx: ExecutionContext) => Promise<void> {
  const service = implemented as unknown as AnyImplemented<Env> // implement() checked operation against contract, name by name
  return async (batch, env, ctx) => {
    for (const message of batch.messages) {
      const failure = await run(service, message.body, { env, waitUntil: (promise) => ctx.waitUntil(promise) })
      if (!failure) message.ack()
      else {
        const { code, message: reason } = failure
        const { id, attempts } = message
        log('warn', 'message_failed', { service: service.contract.name, queue: batch.queue, message: id, attempts, code, reason })
        message.retry({ delaySeconds: failure.transient ? Math.min(2 ** message.attempts, MAX_DELAY_SECONDS) : 0 })
      }
    }
  }
}

async function run<Env>(service: AnyImplemented<Env>, body: unknown, runtime: Pick<Call<Env>, 'env' | 'waitUntil'>): Promise<ServiceError | undefined> {
  try {
    const { id, operation, input, principal, traceparent } = messageOf(body)
    if (!service.contract.operations[operation]?.queue) throw new ServiceError('NOT_FOUND', `${service.contract.name} takes no ${operation} from its queue`)
    await invoke(
      service,
      { name: operation, gather: () => input },
      {
        ...runtime,
        principal,
        via: 'queue',
        requestId: id,
        idempotencyKey: id,
        traceparent: childTraceparent(traceparent),
      },
    )
    return undefined
  } catch (thrown) {
    return toServiceError(thrown)
  }
}

function messageOf(body: unknown): QueueMessage {
  const parsed = queueMessageSchema.safeParse(body)
  if (!parsed.success) throw new ServiceError('INVALID', 'The message does not fit', { cause: parsed.error })
  return parsed.data
}
