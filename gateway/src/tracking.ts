import { trackedBuffer } from '@dot-do/worker-data/tracking'
import type { Env } from './env.ts'
import type { Visit } from './visit.ts'

const buffer = trackedBuffer<Env>()

/** Tracks a finished request, under whoever's namespace asked. Hosts and paths are not told: of published workers they are without number. */
export function trackRequest(
  { request, requestId, principal, target, operation, startedAt }: Visit,
  { status, durationMs }: { status: number; durationMs: number },
  { env, ctx }: { env: Env; ctx: ExecutionContext },
): void {
  const row = {
    type: 'request',
    at: startedAt,
    ns: principal.tenant,
    service: target?.service,
    operation,
    principal: principal.id,
    via: 'http',
    status,
    duration_ms: durationMs,
    request_id: requestId,
    data: `{"method":"${request.method}","host":"${target?.published === 'host' ? 'published' : 'platform'}"}`,
  }
  buffer(row, { env, waitUntil: (promise) => ctx.waitUntil(promise) })
}
