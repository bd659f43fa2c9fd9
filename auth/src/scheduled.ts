import { batch } from '@dot-do/worker-data/database'
import { callOf, type Call } from '@dot-do/worker-kernel/call'
import { log, toServiceError } from '@dot-do/worker-utils'
import { appendAudit } from './audit.ts'
import type { Env } from './env.ts'
import { PLATFORM_TENANT } from './roles.ts'
import { rotation, verifyingKeys } from './sessions/signing-keys.ts'

/** auth does this in its own name. */
const OWN = { principal: { id: 'auth', permissions: [] } }

/** A key signs for so long. */
const SIGNING_MS = 30 * 86_400_000

/** Once a day: lets the next key sign when the current one has signed for thirty days. What is no longer needed, tasks of schedule remove (operations/maintenance.ts). */
export async function scheduled(
  { scheduledTime }: Pick<ScheduledController, 'scheduledTime'>,
  env: Env,
  ctx: Pick<ExecutionContext, 'waitUntil'>,
): Promise<void> {
  const call = callOf({ env, props: OWN, waitUntil: (promise) => ctx.waitUntil(promise) }, 'queue')
  try {
    await rotateIfDue(call, new Date(scheduledTime))
  } catch (thrown) {
    const { code, message, cause } = toServiceError(thrown)
    log('error', 'daily_work_failed', { requestId: call.requestId, code, message, cause })
  }
}

async function rotateIfDue(call: Call<Env>, now: Date): Promise<void> {
  const current = (await verifyingKeys(call, now)).find(({ state }) => state === 'current')
  if (!current?.signsSince || now.getTime() - Date.parse(current.signsSince) < SIGNING_MS) return
  const { kid, statement } = await rotation(call, now)
  const detail = { signedSince: new Date(current.signsSince).toISOString() }
  await batch(call, [statement, appendAudit(call, { action: 'auth.rotateSigningKey', subject: kid, tenant: PLATFORM_TENANT, detail }, now.toISOString())])
}
