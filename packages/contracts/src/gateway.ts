import * as z from 'zod'
import { paginatedResponseSchema, paginationSchema, text, timestampSchema } from '@dot-do/worker-schemas'
import { command, contract, query, type ServiceOf } from './contract.ts'
import { health } from './health.ts'
import { email } from './identity.ts'
import { hostName } from './published.ts'

const page = { limit: paginationSchema.shape.limit, cursor: paginationSchema.shape.cursor }

/** A host of one's own that leads to a service. */
export const Domain = z.object({ host: z.string(), service: z.string(), createdAt: timestampSchema, createdBy: z.string() }).meta({ id: 'Domain' })

/** Somebody who waits to be let in. */
export const WaitlistEntry = z
  .object({ email: z.string(), host: z.string().describe('Where it was given'), createdAt: timestampSchema })
  .meta({ id: 'WaitlistEntry' })

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
        domains: z.array(Domain).nullable().describe('The first hundred hosts that lead to services; null while the database cannot be asked'),
        explanation: z
          .object({
            url: z.string(),
            layer: z
              .enum(['host', 'path', 'domain', 'waitlist', 'none'])
              .describe('What matched first: a host, a path of the platform, a host of somebody’s own, the waitlist for what is not there yet'),
            rule: z.string(),
            service: z.string().nullable(),
            path: z.string(),
            operation: z.string().nullable(),
            permission: z.string().nullable(),
            limit: z.string(),
            access: z.enum(['granted', 'denied']),
            grant: z.string().nullable().describe('The permission by which access was granted'),
            reason: z.string(),
          })
          .optional(),
      }),
      permission: 'routes:read',
      http: 'GET /_routes',
      tool: true,
    }),
    route: command({
      summary: 'Send a request through the front door in the name of whoever calls',
      description: 'For Workers that are bound to the gateway and to nothing else. Routing, limits and refusals are those of a request from outside.',
      input: z.object({
        url: text(2048).describe('A URL, or a path of the platform'),
        method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']).default('GET'),
        headers: z.record(z.string().max(128), text(8192)).default({}).describe('Credentials and what only the platform says are taken out'),
        body: text(1_048_576).optional(),
      }),
      output: z.object({ status: z.int(), headers: z.record(z.string(), z.string()), body: z.string() }),
      permission: 'authenticated',
      repeat: 'unsafe',
    }),
    createDomain: command({
      summary: 'Lead a host of one’s own to a service of the platform',
      description: 'Hosts that lead to published workers are added by `deploy`. It is taken up everywhere within a minute.',
      input: z.object({ host: hostName, service: text(63) }),
      output: Domain,
      permission: 'routes:write',
      repeat: 'natural',
      http: 'POST /_domains',
      status: () => 201,
      statuses: [201],
      tool: true,
    }),
    listDomains: query({
      summary: 'List hosts that lead to services, by name',
      input: z.object(page),
      output: paginatedResponseSchema(Domain),
      permission: 'routes:read',
      http: 'GET /_domains',
      tool: true,
    }),
    deleteDomain: command({
      summary: 'Let a host lead nowhere',
      input: z.object({ host: hostName }),
      output: Domain,
      permission: 'routes:write',
      repeat: 'natural',
      http: 'DELETE /_domains/:host',
      tool: true,
    }),
    joinWaitlist: command({
      summary: 'Ask to be told when there is something at this address',
      description: 'Again is harmless, and the answer does not tell whether the address was known.',
      input: z.object({ email, host: hostName.default('gateway.do').describe('Where it was asked') }),
      output: z.object({ joined: z.literal(true) }),
      permission: 'public',
      repeat: 'natural',
      http: 'POST /waitlist',
      limit: 'auth',
    }),
    listWaitlist: query({
      summary: 'List who waits, newest first',
      input: z.object(page),
      output: paginatedResponseSchema(WaitlistEntry),
      permission: 'waitlist:read',
      http: 'GET /_waitlist',
      tool: true,
    }),
    deleteFromWaitlist: command({
      summary: 'Forget an address that waits',
      input: z.object({ email }),
      output: z.object({ deleted: z.boolean() }),
      permission: 'waitlist:write',
      repeat: 'natural',
      http: 'DELETE /_waitlist/:email',
      tool: true,
    }),
  },
)

/** What a binder of the gateway sees. */
export type Gateway = ServiceOf<typeof gateway>
