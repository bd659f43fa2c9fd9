import * as z from 'zod'
import { jsonObjectSchema, paginatedResponseSchema, paginationSchema, text } from '@dot-do/worker-schemas'
import { command, contract, query, type ServiceOf } from './contract.ts'
import {
  about,
  aboutAll,
  AssetInput,
  Binding,
  Deployment,
  deploymentId,
  ModuleInput,
  Published,
  PublishedSecret,
  PublishedVersion,
  service,
  target,
  tier,
  variableName,
  VersionDiff,
} from './deployment.ts'
import { health } from './health.ts'
import { abortRule, access, canaryStep, CustomDomain, deploymentMetadata, environment, hostName, Slot, tenant, versionNumber } from './published.ts'

const MEBIBYTE = 1_048_576
const page = { limit: paginationSchema.shape.limit, cursor: paginationSchema.shape.cursor }

export const deploy = contract(
  'deploy',
  { summary: 'Publishing workers: versions, rollback, promotion, canaries, secrets, domains', version: '0.1.0' },
  {
    health,
    deploy: command({
      summary: 'Publish a worker',
      description:
        'Validated before anything is touched, uploaded as a version of its own, tried on its preview URL, and only then made live. A failure changes nothing.',
      input: z.object({
        ...target,
        tier: tier.optional().describe('Instead of environment: internal, or production in the namespace of that tier'),
        script: z.string().optional().describe('One ES module, UTF-8 in base64'),
        modules: z.array(ModuleInput).min(1).max(200).optional().describe('Instead of script; the first is the main one unless mainModule says so'),
        mainModule: z.string().max(255).optional(),
        assets: z.array(AssetInput).max(2000).optional().describe('Static files, served before the worker is asked'),
        bindings: z.array(Binding).max(50).optional(),
        vars: jsonObjectSchema.optional(),
        compatibility_date: z.iso.date().optional(),
        compatibility_flags: z
          .array(z.string().regex(/^[a-z0-9_]{1,64}$/))
          .max(20)
          .optional(),
        access: access.optional(),
        activate: z.boolean().default(true).describe('false: upload and try it, and leave what is live'),
        smokePath: z
          .string()
          .regex(/^\/[^\s]*$/)
          .max(512)
          .default('/')
          .describe('What is asked of the preview before it goes live; it may answer anything but an exception'),
        metadata: deploymentMetadata.default({}),
      }),
      output: Published,
      permission: 'deployments:create',
      resource: about,
      repeat: 'keyed',
      http: 'POST /deploy',
      bodyLimitBytes: 30 * MEBIBYTE,
      status: () => 201,
      statuses: [201],
      limit: 'workflow',
      tool: true,
    }),
    rollback: command({
      summary: 'Make the former version live again, or any kept one',
      description: 'A second rollback goes one further back.',
      input: z.object({ ...target, to: versionNumber.optional() }),
      output: Published,
      permission: 'deployments:create',
      resource: about,
      repeat: 'keyed',
      http: 'POST /rollback',
      limit: 'workflow',
      tool: true,
    }),
    promote: command({
      summary: 'Make the version that is live in one environment live in another, without building it again',
      input: z.object({
        service,
        tenant: tenant.optional(),
        from: environment.default('staging'),
        environment: environment.default('production'),
        version: versionNumber.optional().describe('Another version that `from` keeps'),
      }),
      output: Published,
      permission: 'deployments:create',
      resource: about,
      repeat: 'keyed',
      http: 'POST /promote',
      limit: 'workflow',
      tool: true,
    }),
    canary: command({
      summary: 'Give a version a share of the requests; 0 percent ends the canary, 100 makes it live',
      input: z.object({
        ...target,
        version: versionNumber.optional().describe('The newest kept one that is not live, unless told'),
        percent: z.number().min(0).max(100).default(0),
        header: z
          .string()
          .regex(/^[A-Za-z0-9-]{1,64}$/)
          .optional()
          .describe('Requests with this header get the canary, whatever the share'),
        steps: z.array(canaryStep).max(20).default([]),
        abortOn: abortRule.optional(),
      }),
      output: Slot,
      permission: 'deployments:create',
      resource: about,
      repeat: 'natural',
      http: 'POST /canary',
      limit: 'workflow',
      tool: true,
    }),
    unpublish: command({
      summary: 'Take a worker down in one environment; its versions are kept, and a deployment or rollback brings it back',
      input: z.object(target),
      output: Deployment,
      permission: 'deployments:delete',
      resource: about,
      repeat: 'natural',
      http: 'DELETE /workers/:service',
      tool: true,
    }),
    getWorker: query({
      summary: 'Show what is live of a worker, in every environment',
      input: z.object({ service, tenant: tenant.optional() }),
      output: z.object({ service: z.string(), tenant: z.string(), slots: z.array(Slot.extend({ url: z.string() })) }),
      permission: 'deployments:read',
      resource: aboutAll,
      http: 'GET /workers/:service',
      tool: true,
    }),
    listDeployments: query({
      summary: 'List deployments, newest first',
      input: z.object({ service: service.optional(), environment: environment.optional(), tenant: tenant.optional(), ...page }),
      output: paginatedResponseSchema(Deployment),
      permission: 'deployments:read',
      resource: (input, asker) => ({ ...aboutAll(input, asker), ...(input.environment && { environment: input.environment }) }),
      http: 'GET /deployments',
      tool: true,
    }),
    getDeployment: query({
      summary: 'Show one deployment',
      input: z.object({ id: deploymentId }),
      output: Deployment,
      permission: 'deployments:read',
      // Only the asker's own are found, so a right to all of a tenant's is enough.
      resource: (_input, asker) => ({ tenant: asker.tenant }),
      http: 'GET /deployments/:id',
      tool: true,
    }),
    listVersions: query({
      summary: 'List the versions of a worker, newest first',
      input: z.object({ service, tenant: tenant.optional(), ...page }),
      output: paginatedResponseSchema(PublishedVersion),
      permission: 'deployments:read',
      resource: aboutAll,
      http: 'GET /versions',
      tool: true,
    }),
    diff: query({
      summary: 'Compare two versions of a worker',
      input: z.object({ service, tenant: tenant.optional(), from: versionNumber, to: versionNumber }),
      output: VersionDiff,
      permission: 'deployments:read',
      resource: aboutAll,
      http: 'GET /diff',
      tool: true,
    }),
    setSecret: command({
      summary: 'Set a secret of a worker; it is never shown again',
      input: z.object({ ...target, name: variableName, value: text(5120).min(1) }),
      output: PublishedSecret,
      permission: 'secrets:write',
      resource: about,
      repeat: 'natural',
      http: 'PUT /secrets/:name',
    }),
    listSecrets: query({
      summary: 'List the names of a worker’s secrets',
      input: z.object({ ...target, ...page }),
      output: paginatedResponseSchema(PublishedSecret),
      permission: 'secrets:read',
      resource: about,
      http: 'GET /secrets',
      tool: true,
    }),
    removeSecret: command({
      summary: 'Remove a secret of a worker',
      input: z.object({ ...target, name: variableName }),
      output: PublishedSecret,
      permission: 'secrets:write',
      resource: about,
      repeat: 'natural',
      http: 'DELETE /secrets/:name',
    }),
    addDomain: command({
      summary: 'Lead a host of one’s own to a worker, once its DNS record proves whose it is',
      input: z.object({ ...target, host: hostName }),
      output: CustomDomain,
      permission: 'domains:write',
      resource: about,
      repeat: 'natural',
      http: 'POST /domains',
      status: () => 201,
      statuses: [201],
      tool: true,
    }),
    listDomains: query({
      summary: 'List custom domains by host',
      input: z.object({ service: service.optional(), tenant: tenant.optional(), ...page }),
      output: paginatedResponseSchema(CustomDomain),
      permission: 'domains:read',
      resource: aboutAll,
      http: 'GET /domains',
      tool: true,
    }),
    verifyDomain: command({
      summary: 'Look for the DNS record that proves whose a domain is',
      input: z.object({ host: hostName, tenant: tenant.optional() }),
      output: CustomDomain,
      permission: 'domains:write',
      resource: aboutAll,
      repeat: 'natural',
      http: 'POST /domains/:host/verify',
      tool: true,
    }),
    removeDomain: command({
      summary: 'Take a custom domain away',
      input: z.object({ host: hostName, tenant: tenant.optional() }),
      output: CustomDomain,
      permission: 'domains:write',
      resource: aboutAll,
      repeat: 'natural',
      http: 'DELETE /domains/:host',
      tool: true,
    }),
  },
)

/** What a binder of deploy sees. */
export type Deploy = ServiceOf<typeof deploy>
