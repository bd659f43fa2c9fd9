import { platform } from '@dot-do/worker-kernel/platform'
import type { Env } from './env.ts'
import { callOut } from './outbound.ts'
import { service } from './service.ts'

const door = platform(service)

export { Pointer } from './pointer.ts'
export { DispatcherService, Sibling, TenantBucket, TenantDb, TenantKv } from './rpc.ts'
export default {
  ...door,
  /** Between published code and the outside this Worker is called with parameters, which nobody but a dispatch namespace sets; otherwise this is the platform's door. */
  fetch: (request, env, ctx) => (env.outbound ? callOut(request, env.outbound) : (door.fetch?.(request, env, ctx) ?? new Response(null, { status: 404 }))),
} satisfies ExportedHandler<Env>
