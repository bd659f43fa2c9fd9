import * as z from 'zod'
import { paginatedResponseSchema, permissionSchema, text, timestampSchema } from '@dot-do/worker-schemas'
import { command, query } from './contract.ts'
import { page, trustId } from './identity.ts'
import { namespace } from './thing.ts'

const rule = {
  repository: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,39}\/(?:\*|[A-Za-z0-9._-]{1,100})$/, 'must be owner/name, or owner/* for all of an owner')
    .describe('`acme/shop`, or `acme/*` for all of an owner'),
  branch: text(255).min(1).optional().describe('`main`, `release/*`; any unless told. A tag is `tags/v1.2`, a pull request has none'),
  environment: text(255).min(1).optional().describe("The job's GitHub environment; any, also none, unless told"),
  permissions: z.array(permissionSchema).min(1).max(20).describe('Such as `deployments:create@shop/production/acme`'),
}

/** Which jobs elsewhere get a credential without a stored secret, and what it may do. */
export const WorkloadTrust = z
  .object({
    id: trustId,
    ...rule,
    branch: z.string().nullable(),
    environment: z.string().nullable(),
    permissions: z.array(z.string()),
    tenant: z.string(),
    createdAt: timestampSchema,
    createdBy: z.string(),
    lastUsedAt: timestampSchema.nullable(),
  })
  .meta({ id: 'WorkloadTrust' })

/** Workload identity: a GitHub Actions job proves itself by its OIDC token. Such tokens are exchanged at `POST /token`. */
export const workloadOperations = {
  createTrust: command({
    summary: 'Trust the jobs of a repository',
    description: 'Nobody can give a job what they lack.',
    input: z.object({ ...rule, tenant: namespace.optional() }),
    output: WorkloadTrust,
    permission: 'workloads:write',
    repeat: 'keyed',
    http: 'POST /trusts',
    status: () => 201,
    statuses: [201],
    limit: 'auth',
    tool: true,
  }),
  listTrusts: query({
    summary: 'List which jobs are trusted, newest first',
    input: z.object(page),
    output: paginatedResponseSchema(WorkloadTrust),
    permission: 'workloads:read',
    http: 'GET /trusts',
    tool: true,
  }),
  deleteTrust: command({
    summary: 'Trust such jobs no more; credentials that are out are refused within five seconds',
    input: z.object({ id: trustId }),
    output: WorkloadTrust,
    permission: 'workloads:write',
    repeat: 'natural',
    http: 'DELETE /trusts/:id',
    tool: true,
  }),
  exchangeToken: command({
    summary: 'Exchange the OIDC token of a GitHub Actions job for a credential of fifteen minutes',
    description: 'Over HTTP this is `POST /token` in the form of RFC 8693. A token is exchanged once.',
    input: z.object({ token: text(16_384), permissions: z.array(permissionSchema).max(20).optional().describe('Fewer than what the rules give') }),
    output: z.object({ accessToken: z.string(), expiresIn: z.int().describe('Seconds'), permissions: z.array(z.string()), tenant: z.string() }),
    permission: 'public',
    repeat: 'unsafe',
  }),
}
