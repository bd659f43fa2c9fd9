import { auth } from '@dot-do/worker-contracts/auth'
import { postgresLedger } from '@dot-do/worker-data/ledger'
import { trackCalls } from '@dot-do/worker-data/tracking'
import { implement } from '@dot-do/worker-kernel/implement'
import document from '../../docs/openapi/auth.json' with { type: 'json' }
import type { Env } from './env.ts'
import { listAudit, recordAudit, verifyAudit } from './operations/audit.ts'
import { health } from './operations/health.ts'
import { createKey, getKey, listKeys, revokeKey, rotateKey } from './operations/keys.ts'
import { can, listRoles } from './operations/permissions.ts'
import { verifyKey } from './operations/verification.ts'
import { SCHEMA } from './tables.ts'

/** What auth does, by contract. */
export const service = implement<typeof auth, Env>(
  auth,
  { health, createKey, listKeys, getKey, rotateKey, revokeKey, verifyKey, listRoles, can, recordAudit, listAudit, verifyAudit },
  { document, ledger: postgresLedger(SCHEMA), observed: trackCalls('auth') },
)
