import { batch } from '@dot-do/worker-data/database'
import { callOf, type Call } from '@dot-do/worker-kernel/call'
import { log, toServiceError } from '@dot-do/worker-utils'
import { appendAudit } from './audit.ts'
import type { Env } from './env.ts'
import { PLATFORM_TENANT } from './roles.ts'
import { forgetRefusals } from './sessions/revocations.ts'
import { forgetRetired, rotation, verifyingKeys } from './sessions/signing-keys.ts'

/** auth does this in its own name. */
const OWN = { principal: { id: 'auth', permissions: [] } }

/** A key signs for so long. */
const SIGNING_MS = 30 * 86_400_000

/** Sessions are listed for so long after their end. */
const FORGET_SESSIONS = `delete from auth.sessions where greatest(expires_at, revoked_at) <= $1::timestamptz - interval '30 days'`

/** Once a day: lets the next key sign when the current one has signed for thirty days, and forgets keys, refusals and sessions that nobody asks about any more. */
export async function scheduled(
  { scheduledTime }: Pick<ScheduledController, 'scheduledTime'>,
  env: Env,
  ctx: Pick<ExecutionContext, 'waitUntil'>,
): Promise<void> {
  const now = new Date(scheduledTime)
  const call = callOf({ env, props: OWN, waitUntil: (promise) => ctx.waitUntil(promise) }, 'queue')
  const forget = [forgetRetired(now), forgetRefusals(now), { sql: FORGET_SESSIONS, params: [now.toISOString()] }]
  const outcomes = await Promise.allSettled([rotateIfDue(call, now), batch(call, forget)])
  for (const outcome of outcomes) if (outcome.status === 'rejected') logFailure(outcome.reason, call)
}

async function rotateIfDue(call: Call<Env>, now: Date): Promise<void> {
  const current = (await verifyingKeys(call, now)).find(({ state }) => state === 'current')
  if (!current?.signsSince || now.getTime() - Date.parse(current.signsSince) < SIGNING_MS) return
  const { kid, statement } = await rotation(call, now)
  const detail = { signedSince: new Date(current.signsSince).toISOString() }
  await batch(call, [statement, appendAudit(call, { action: 'auth.rotateSigningKey', subject: kid, tenant: PLATFORM_TENANT, detail }, now.toISOString())])
}

function logFailure(thrown: unknown, { requestId }: Call): void {
  const { code, message, cause } = toServiceError(thrown)
  log('error', 'daily_work_failed', { requestId, code, message, cause })
}
