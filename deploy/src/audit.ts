import { onward, type Call } from '@dot-do/worker-kernel/call'
import { log, retry, ServiceError, toServiceError } from '@dot-do/worker-utils'
import type { Env } from './env.ts'
import type { Json } from './settings.ts'

/** What an audit entry tells of a command; how it ended is added as `outcome`. `detail` never holds a secret. */
export interface Deed {
  action: string
  subject: string
  tenant: string
  detail: Record<string, Json>
}

/** Failures whose entry was written where they happened, with all that was known there. */
const recorded = new WeakSet<ServiceError>()

/** Runs a command and tells the audit log how it ended, as `deed` describes it by then. What fails is logged, and thrown without its cause. */
export async function auditing<Answer>(call: Call<Env>, deed: () => Deed, run: () => Promise<Answer>): Promise<Answer> {
  try {
    const answer = await run()
    await record(deed(), { outcome: 'ok' }, call)
    return answer
  } catch (thrown) {
    const { code, message, details, cause } = toServiceError(thrown)
    if (cause !== undefined) log('error', 'command_failed', { action: deed().action, requestId: call.requestId, code, message, cause })
    const failure = new ServiceError(code, message, { details })
    await record(deed(), { outcome: code, reason: message }, call)
    recorded.add(failure)
    throw failure
  }
}

/** Tells the audit log of a command that was refused before it ran: without the right to, or with an input that does not fit. */
export async function auditRefusal(operation: string, error: ServiceError, call: Call<Env>): Promise<void> {
  if (recorded.has(error)) return
  const { code, message, details = [] } = error
  const fields = details.slice(0, 10).map(({ path, message: what }) => `${path}: ${what}`)
  const deed = { action: `deploy.${operation}`, subject: '', tenant: call.principal.tenant, detail: {} }
  await record(deed, { outcome: code, reason: message, ...(fields.length > 0 && { fields }) }, call)
}

/** An entry that cannot be written is no reason to fail what is done already; it is logged as an error instead. */
async function record(deed: Deed, end: Deed['detail'], call: Call<Env>): Promise<void> {
  const entry = { ...deed, actor: call.principal.id, detail: { ...deed.detail, ...end } }
  try {
    await retry(() => call.env.AUTH_SERVICE.recordAudit(entry, onward(call)))
  } catch (cause) {
    log('error', 'audit_not_written', { ...entry, requestId: call.requestId, cause })
  }
}
