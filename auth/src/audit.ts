import type { Call } from '@dot-do/worker-kernel/call'
import { generateId } from '@dot-do/worker-utils'
import type { Buildable } from '@dot-do/worker-data/database'

/** One thing that was done. `detail` never holds a secret. */
export interface AuditRecord {
  action: string
  subject: string
  tenant: string
  detail: Record<string, unknown>
}

/** The statement that appends an entry to the chain; it belongs into the batch of what it tells of. */
export function appendAudit({ principal, requestId }: Call, { action, subject, tenant, detail }: AuditRecord, at: string): Buildable {
  return {
    sql: 'select auth.append_audit($1, $2::timestamptz, $3, $4, $5, $6, $7::jsonb)',
    params: [generateId('audit'), at, principal.id, action, subject, tenant, JSON.stringify({ ...detail, requestId })],
  }
}
