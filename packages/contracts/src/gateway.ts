import * as z from 'zod'
import { contract, query, type ServiceOf } from './contract.ts'
import { health } from './health.ts'

const RouteRow = z.object({
  service: z.string(),
  operation: z.string(),
  method: z.string(),
  path: z.string().describe("Through the gateway; also under /api, and on the service's hosts without the first segment"),
  permission: z.string(),
  limit: z.string(),
})

export const gateway = contract(
  'gateway',
  { summary: 'The front door: routing, identity, limits', version: '0.1.0' },
  {
    health,
    about: query({
      summary: 'Tell what is here and how to get on',
      input: z.object({}),
      output: z.object({
        name: z.string(),
        version: z.string(),
        services: z.array(z.object({ name: z.string(), summary: z.string(), path: z.string().describe('Where it is, under this address') })),
        links: z.record(z.string(), z.string()).describe('Paths to read next'),
      }),
      permission: 'public',
      http: 'GET /',
    }),
    routes: query({
      summary: 'List all routes, or explain what becomes of one request',
      input: z.object({ explain: z.string().max(2048).optional().describe('A URL or path'), method: z.string().max(16).default('GET') }),
      output: z.object({
        routes: z.array(RouteRow),
        explanation: z
          .object({
            url: z.string(),
            rule: z.string(),
            service: z.string().nullable(),
            path: z.string(),
            operation: z.string().nullable(),
            permission: z.string().nullable(),
            limit: z.string(),
            access: z.enum(['granted', 'denied']),
            reason: z.string(),
          })
          .optional(),
      }),
      permission: 'routes:read',
      http: 'GET /_routes',
      tool: true,
    }),
  },
)

/** What a binder of the gateway sees. */
export type Gateway = ServiceOf<typeof gateway>
