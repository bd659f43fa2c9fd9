import * as z from 'zod'
import { query } from './contract.ts'

const status = z.enum(['ok', 'degraded', 'error'])

/** The one shape of health, the same on all services. */
export const Health = z
  .object({
    status,
    service: z.string(),
    version: z.string(),
    checks: z.record(z.string(), z.object({ status, latencyMs: z.number().describe('Milliseconds the check took'), message: z.string().optional() })),
  })
  .meta({ id: 'Health' })

/** The operation every contract begins with. `degraded` still answers 200; `error` answers 503. */
export const health = query({
  summary: 'Tell whether the service and what it depends on work',
  input: z.object({}),
  output: Health,
  permission: 'public',
  http: 'GET /health',
  status: (answer) => (answer.status === 'error' ? 503 : 200),
  statuses: [200, 503],
})
