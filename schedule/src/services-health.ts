import { health } from '@dot-do/worker-contracts/health'
import type { HealthStatus } from '@dot-do/worker-types'
import { success } from '@dot-do/worker-utils'

/** How a service is, by what it says of itself. */
export interface ServiceHealth {
  service: string
  status: HealthStatus
  message?: string
}

/** The gateway gives each service three seconds. */
const TIMEOUT_MS = 10_000

/** Asks how every service is, as anyone outside could: through the gateway, which asks each. Where it gives no such answer that is all there is to tell. */
export async function askServices(platformUrl: string): Promise<ServiceHealth[]> {
  const gateway = (message: string): ServiceHealth[] => [{ service: 'gateway', status: 'error', message }]
  try {
    const answer = await fetch(`${platformUrl}/health`, { redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) })
    const { data } = (await answer.json()) as Partial<ReturnType<typeof success>> // whatever it is, the next line looks at it
    const told = health.output.safeParse(data)
    if (!told.success) return gateway(`It answers ${answer.status} without a word about the services`)
    const others = Object.entries(told.data.checks).map(([service, { status, message }]) => ({ service, status, ...(message !== undefined && { message }) }))
    return [{ service: 'gateway', status: 'ok' }, ...others]
  } catch {
    return gateway('It does not answer')
  }
}
