import * as z from 'zod'
import { principalSchema, text } from '@dot-do/worker-schemas'
import { command, query } from './contract.ts'
import { namespace } from './thing.ts'

/** What the platform itself asks of auth: whose authority work has that was left for later, and what is no longer needed. */
export const maintenanceOperations = {
  resolvePrincipal: query({
    summary: 'Tell what a key, a person or a workload may do now, for work that was left for later',
    description:
      'A key that was rotated may what its successor may, and keeps its id. One that was revoked or expired, somebody disabled or no longer a member, a trust that is gone: null.',
    input: z.object({ id: text(256).min(1).describe('`key_…`, `user_…` or `trust_…`'), tenant: namespace.describe('In which organisation') }),
    output: z.object({
      principal: principalSchema.nullable(),
      reason: z.enum(['unknown', 'revoked', 'expired', 'disabled', 'no_member']).optional().describe('Why there is none'),
    }),
    permission: 'principals:resolve',
  }),
  cleanUpSessions: command({
    summary: 'Remove sessions that ended long ago, and refusals and signing keys that nobody asks about any more',
    input: z.object({ olderThanDays: z.int().min(1).max(3650).default(30) }),
    output: z.object({ sessions: z.int() }),
    permission: 'auth:maintain',
    repeat: 'natural',
    http: 'POST /maintenance/sessions',
    queue: true,
  }),
  cleanUpKeys: command({
    summary: 'Remove API keys that expired or were revoked long ago',
    description: 'The audit log keeps what was done with them.',
    input: z.object({ olderThanDays: z.int().min(1).max(3650).default(30) }),
    output: z.object({ keys: z.int() }),
    permission: 'auth:maintain',
    repeat: 'natural',
    http: 'POST /maintenance/keys',
    queue: true,
  }),
}
