import type { Contract } from '@dot-do/worker-contracts/contract'
import { http } from './http.ts'
import type { Implemented } from './implement.ts'

/** What only the platform calls, besides `fetch`. */
export interface PlatformHandlers<Env> {
  queue?: ExportedHandlerQueueHandler<Env>
  scheduled?: ExportedHandlerScheduledHandler<Env>
}

/** The default export of a Worker: the platform's door. A plain object, so that no binder reaches it by RPC; it honours no props and so no delegation. */
export function platform<C extends Contract, Env>(service: Implemented<C, Env>, handlers: PlatformHandlers<Env> = {}): ExportedHandler<Env> {
  const { fetch } = http(service)
  return { fetch: (request, env, ctx) => fetch(request, { env, waitUntil: (promise) => ctx.waitUntil(promise) }), ...handlers }
}
