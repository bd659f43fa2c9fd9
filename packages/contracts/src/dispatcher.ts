import * as z from 'zod'
import { paginatedResponseSchema, paginationSchema, text, timestampSchema, workerNameSchema } from '@dot-do/worker-schemas'
import { command, contract, query, type ServiceOf } from './contract.ts'
import { health } from './health.ts'
import { abortRule, access, canaryStep, CustomDomain, environment, hostName, Pointer, publishedWorker, Slot, versionNumber } from './published.ts'
import { namespace } from './thing.ts'

const page = { limit: paginationSchema.shape.limit, cursor: paginationSchema.shape.cursor }
const slot = { ...publishedWorker, environment }

const Tenant = z
  .object({
    tenant: z.string(),
    plan: z.string().describe('Decides CPU time and subrequests of its workers'),
    outbound: z.array(z.string()).describe('Hosts its workers may call, `*.example.com` and `*` allowed; never private addresses'),
    updatedAt: timestampSchema.nullable().describe('null: nothing was set, these are the defaults'),
  })
  .meta({ id: 'Tenant' })

/** Pointers are set by deploy alone, over its binding; people publish through deploy. */
export const dispatcher = contract(
  'dispatcher',
  { summary: 'Published workers, by host: what is live, who may call it, within which limits', version: '0.1.0' },
  {
    health,
    resolve: query({
      summary: 'Tell where a host and path lead',
      input: z.object({ url: text(2048).min(1).describe('`http://v2.hello.do/x` or `hello.do`') }),
      output: z.object({
        tenant: z.string().nullable(),
        worker: z.string().nullable(),
        environment: environment.nullable(),
        version: z.int().nullable().describe('The version that would answer, a canary aside'),
        access: access.nullable(),
        reason: z.string(),
      }),
      permission: 'pointers:read',
      http: 'GET /resolve',
      tool: true,
    }),
    getPointer: query({
      summary: 'Show what is live of a worker',
      input: z.object(publishedWorker),
      output: Pointer,
      permission: 'pointers:read',
    }),
    reserveVersion: command({
      summary: 'Give a content its version number',
      description: 'The same content of the same worker has one number for good.',
      input: z.object({ ...publishedWorker, sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
      output: z.object({ version: versionNumber }),
      permission: 'pointers:write',
      repeat: 'natural',
    }),
    keepVersion: command({
      summary: 'Make a version known to an environment; it answers on its own host, and nothing else changes',
      input: z.object({
        ...slot,
        version: versionNumber,
        namespace: z.string().max(64),
        script: z.string().max(255),
        access,
        branch: z
          .string()
          .regex(/^[a-z0-9](?:[a-z0-9-]{0,40}[a-z0-9])?$/)
          .nullable(),
      }),
      output: Slot,
      permission: 'pointers:write',
      repeat: 'natural',
    }),
    dropVersions: command({
      summary: 'Forget versions that are neither live nor a canary; those that are stay',
      input: z.object({ ...slot, versions: z.array(versionNumber).min(1).max(100) }),
      output: Slot,
      permission: 'pointers:write',
      repeat: 'natural',
    }),
    activate: command({
      summary: 'Make a kept version live; a canary ends',
      input: z.object({ ...slot, version: versionNumber }),
      output: Slot,
      permission: 'pointers:write',
      repeat: 'natural',
    }),
    rollback: command({
      summary: 'Make the version live that was so before, or a given one',
      description: 'The same `attempt` again goes no further back and is answered as before.',
      input: z.object({ ...slot, to: versionNumber.optional(), attempt: z.string().min(1).max(128) }),
      output: z.object({ from: versionNumber.nullable(), to: versionNumber, slot: Slot }),
      permission: 'pointers:write',
      repeat: 'natural',
    }),
    setCanary: command({
      summary: 'Give a kept version a share of the requests; 0 percent without header and steps ends it',
      input: z.object({
        ...slot,
        version: versionNumber,
        percent: z.number().min(0).max(100),
        header: z
          .string()
          .regex(/^[A-Za-z0-9-]{1,64}$/)
          .optional(),
        steps: z.array(canaryStep).max(20).default([]),
        abortOn: abortRule.optional(),
      }),
      output: Slot,
      permission: 'pointers:write',
      repeat: 'natural',
    }),
    takeDown: command({
      summary: 'Let nothing be live in an environment; its versions are kept',
      input: z.object(slot),
      output: Slot,
      permission: 'pointers:write',
      repeat: 'natural',
    }),
    addDomain: command({
      summary: 'Lead a host of one’s own to a worker, once it is verified',
      input: z.object({ ...slot, host: hostName }),
      output: CustomDomain,
      permission: 'domains:write',
      repeat: 'natural',
    }),
    listDomains: query({
      summary: 'List custom domains by host',
      input: z.object({ tenant: namespace, worker: workerNameSchema.optional(), ...page }),
      output: paginatedResponseSchema(CustomDomain),
      permission: 'domains:read',
    }),
    verifyDomain: command({
      summary: 'Look for the DNS record that proves whose a domain is',
      input: z.object({ tenant: namespace, host: hostName }),
      output: CustomDomain,
      permission: 'domains:write',
      repeat: 'natural',
    }),
    removeDomain: command({
      summary: 'Take a custom domain away',
      input: z.object({ tenant: namespace, host: hostName }),
      output: CustomDomain,
      permission: 'domains:write',
      repeat: 'natural',
    }),
    getTenant: query({
      summary: 'Show a tenant’s plan and where its workers may call',
      input: z.object({ tenant: namespace }),
      output: Tenant,
      permission: 'tenants:read',
      http: 'GET /tenants/:tenant',
      tool: true,
    }),
    setTenant: command({
      summary: 'Set a tenant’s plan and where its workers may call',
      input: z.object({
        tenant: namespace,
        plan: z.enum(['standard', 'plus']).optional(),
        outbound: z
          .array(z.string().regex(/^(?:\*|(?:\*\.)?(?:[a-z0-9-]+\.)*[a-z0-9-]+)$/, 'must be a host name, `*.host` or `*`'))
          .max(100)
          .optional(),
      }),
      output: Tenant,
      permission: 'tenants:write',
      repeat: 'natural',
      http: 'PUT /tenants/:tenant',
      tool: true,
    }),
  },
)

/** What a binder of the dispatcher sees. */
export type Dispatcher = ServiceOf<typeof dispatcher>
