import type { Health, HealthCheck, HealthStatus } from '@dot-do/worker-types'
import type { Contract } from '@dot-do/worker-contracts/contract'
import { ServiceError, toServiceError } from '@dot-do/worker-utils'

/** One thing to try. It resolves when it works, or with how badly it works, and rejects when it does not. */
export type Probe = () => Promise<Pick<HealthCheck, 'status' | 'message'> | void>

/** How long a probe may take, in milliseconds, before it counts as failed. */
const PROBE_TIMEOUT_MS = 3_000

/** Tries everything a service depends on at once and sums it up: the worst of the checks is the service's own status. */
export async function checkHealth(contract: Pick<Contract, 'name' | 'version'>, probes: Record<string, Probe>): Promise<Health> {
  const checks = await Promise.all(Object.entries(probes).map(async ([name, probe]) => [name, await tryProbe(probe)] as const))
  const statuses = checks.map(([, { status }]) => status)
  return { status: worst(statuses), service: contract.name, version: contract.version, checks: Object.fromEntries(checks) }
}

function worst(statuses: HealthStatus[]): HealthStatus {
  if (statuses.includes('error')) return 'error'
  return statuses.includes('degraded') ? 'degraded' : 'ok'
}

async function tryProbe(probe: Probe): Promise<HealthCheck> {
  const startedAt = Date.now()
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new ServiceError('UNAVAILABLE', `No answer within ${PROBE_TIMEOUT_MS / 1000} s`)), PROBE_TIMEOUT_MS)
  try {
    const answer = await Promise.race([probe(), late.promise])
    return { ...(answer ?? { status: 'ok' }), latencyMs: Date.now() - startedAt }
  } catch (thrown) {
    // Health is public, and what a stranger's error says may name hosts or users.
    const { code, message } = toServiceError(thrown)
    return { status: 'error', latencyMs: Date.now() - startedAt, message: code === 'INTERNAL' ? 'failed' : message }
  } finally {
    clearTimeout(timer)
  }
}
