/** `degraded` still answers; `error` does not. */
export type HealthStatus = 'ok' | 'degraded' | 'error'

/** One thing a service depends on, tried. */
export interface HealthCheck {
  status: HealthStatus
  latencyMs: number
  message?: string | undefined
}

/** What `health` answers on all services alike. */
export interface Health {
  status: HealthStatus
  service: string
  version: string
  checks: Record<string, HealthCheck>
}
