import * as z from 'zod'
import { paginatedResponseSchema, permissionSchema, text, timestampSchema } from '@dot-do/worker-schemas'
import { accessOperations } from './auth-access.ts'
import { maintenanceOperations } from './auth-maintenance.ts'
import { organisationOperations } from './auth-organisations.ts'
import { sessionOperations } from './auth-sessions.ts'
import { workloadOperations } from './auth-workloads.ts'
import { command, contract, query, type MessageOf, type ServiceOf } from './contract.ts'
import { health } from './health.ts'
import { keyId, page, PrincipalShape, roleName } from './identity.ts'
import { namespace } from './thing.ts'

/** An API key as it is shown; the key itself is shown once, when made. */
export const ApiKey = z
  .object({
    id: keyId,
    name: z.string(),
    preview: z.string().describe('The first characters of the key, to tell it from others'),
    tenant: z.string(),
    permissions: z.array(z.string()),
    limitPerMinute: z.int().nullable().describe('Calls a minute of the class `default`, the other classes in proportion; null: those of everybody'),
    allowedAddresses: z.array(z.string()).describe('Addresses it may be used from; empty: any'),
    createdAt: timestampSchema,
    createdBy: z.string(),
    expiresAt: timestampSchema.nullable(),
    lastUsedAt: timestampSchema.nullable().describe('Exact to a minute'),
    revokedAt: timestampSchema.nullable(),
    replacedBy: z.string().nullable().describe('The key that took its place by rotation'),
  })
  .meta({ id: 'ApiKey' })

const ShownOnce = ApiKey.extend({ key: z.string().optional().describe('The key itself; shown once, never again') }).meta({ id: 'ApiKeyShownOnce' })

const AuditEntry = z
  .object({
    id: z.string(),
    at: timestampSchema,
    actor: z.string(),
    action: z.string().describe('The operation, `auth.createKey`'),
    subject: z.string().describe('The id it was done to'),
    tenant: z.string(),
    detail: z.record(z.string(), z.unknown()),
    hash: z.string().describe('SHA-256 of this entry and the hash before it, hexadecimal'),
  })
  .meta({ id: 'AuditEntry' })

const ipAddress = z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()])

export const auth = contract(
  'auth',
  { summary: 'Who is asking, and what they may do: sessions, API keys, organisations, roles, workload identity, audit', version: '0.1.0' },
  {
    health,
    createKey: command({
      summary: 'Make an API key',
      description: 'The key is in this answer and nowhere else. Nobody can give a key a permission that they lack.',
      input: z.object({
        name: text(100).min(1),
        permissions: z.array(permissionSchema).max(100).optional(),
        role: roleName.optional().describe('Adds the permissions that the role has today'),
        tenant: namespace.optional().describe("Whose key; the asker's own tenant unless told, any other needs `*`"),
        expiresInDays: z.int().min(1).max(3650).optional(),
        limitPerMinute: z.int().min(1).max(10_000_000).optional().describe('Needs the permission `limits:write`'),
        allowedAddresses: z.array(ipAddress).max(50).optional(),
      }),
      output: ShownOnce,
      permission: 'keys:write',
      repeat: 'keyed',
      http: 'POST /apikeys',
      status: () => 201,
      statuses: [201],
      secret: 'key',
      limit: 'auth',
      tool: true,
    }),
    listKeys: query({
      summary: 'List API keys, newest first',
      input: z.object({ ...page, includeRevoked: z.boolean().default(false) }),
      output: paginatedResponseSchema(ApiKey),
      permission: 'keys:read',
      http: 'GET /apikeys',
      tool: true,
    }),
    getKey: query({
      summary: 'Show one API key',
      input: z.object({ id: keyId }),
      output: ApiKey,
      permission: 'keys:read',
      http: 'GET /apikeys/:id',
      tool: true,
    }),
    rotateKey: command({
      summary: 'Replace an API key; the old one lives on for a while',
      input: z.object({ id: keyId, graceSeconds: z.int().min(0).max(604_800).default(86_400).describe('How long the old key still works') }),
      output: ShownOnce,
      permission: 'keys:write',
      repeat: 'keyed',
      http: 'POST /apikeys/:id/rotate',
      status: () => 201,
      statuses: [201],
      secret: 'key',
      limit: 'auth',
      tool: true,
    }),
    revokeKey: command({
      summary: 'End an API key; it is refused everywhere within five seconds',
      input: z.object({ id: keyId }),
      output: ApiKey,
      permission: 'keys:write',
      repeat: 'natural',
      http: 'DELETE /apikeys/:id',
      tool: true,
    }),
    verifyKey: query({
      summary: 'Tell whose a key is',
      input: z.object({ key: z.string().max(256), address: z.string().max(64).optional().describe('Where it was sent from') }),
      output: z.object({
        valid: z.boolean(),
        reason: z.enum(['malformed', 'unknown', 'revoked', 'expired', 'wrong_mode', 'address_refused']).optional(),
        principal: PrincipalShape.optional(),
        addressBound: z.boolean().optional().describe('Whether the answer holds for this address only'),
      }),
      permission: 'keys:verify',
    }),
    ...accessOperations,
    ...organisationOperations,
    ...sessionOperations,
    ...workloadOperations,
    ...maintenanceOperations,
    recordAudit: command({
      summary: 'Append to the audit log what another service did or refused',
      input: z.object({
        actor: text(100).min(1).describe('The principal whose call it was'),
        action: text(100).min(1).describe('The operation, `deploy.rollback`'),
        subject: text(255),
        tenant: namespace,
        detail: z.record(z.string(), z.json()),
      }),
      output: z.object({ id: z.string() }),
      permission: 'audit:write',
      repeat: 'unsafe',
    }),
    listAudit: query({
      summary: 'List what was changed and by whom, newest first',
      input: z.object({ ...page, actor: z.string().max(100).optional(), action: z.string().max(100).optional(), subject: z.string().max(100).optional() }),
      output: paginatedResponseSchema(AuditEntry),
      permission: 'audit:read',
      http: 'GET /audit',
      tool: true,
    }),
    verifyAudit: query({
      summary: 'Recompute the audit log’s chain of hashes',
      input: z.object({}),
      output: z.object({
        valid: z.boolean(),
        entries: z.int(),
        firstBroken: z.string().optional().describe('The id of the first entry that does not follow from the one before'),
      }),
      permission: 'audit:verify',
      http: 'GET /audit/verify',
      cost: 10,
    }),
  },
)

/** What a binder of auth sees. */
export type Auth = ServiceOf<typeof auth>

/** What auth's queue accepts. */
export type AuthMessage = MessageOf<typeof auth>
