import type { Call } from '@dot-do/worker-kernel/call'
import { generateId } from '@dot-do/worker-utils'
import type { Buildable } from '@dot-do/worker-data/database'

/** One thing that was done. `detail` never holds a secret. */
export interface AuditRecord {
  /** Whose doing it was; the caller's unless told. */
  actor?: string
  action: string
  subject: string
  tenant: string
  detail: Record<string, unknown>
}

/** The statement that appends an entry to the chain; it belongs into the batch of what it tells of. */
export function appendAudit({ principal, requestId }: Call, record: AuditRecord, at: string): Buildable & { id: string } {
  const { actor = principal.id, action, subject, tenant, detail } = record
  const id = generateId('audit')
  return {
    id,
    sql: 'select auth.append_audit($1, $2::timestamptz, $3, $4, $5, $6, $7::jsonb)',
    params: [id, at, actor, action, subject, tenant, JSON.stringify({ ...detail, requestId })],
  }
}
