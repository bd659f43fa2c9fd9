import type { Principal } from './principal.ts'

/** What lies in a service's queue: one operation to run, at least once. The id doubles as the idempotency key. */
export interface QueueMessage<Operation extends string = string, Input = unknown> {
  id: string
  operation: Operation
  input: Input
  /** With whose authority it runs. */
  principal: Principal
  traceparent?: string | undefined
}
