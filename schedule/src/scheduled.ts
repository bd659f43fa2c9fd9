import { callOf, type Call } from '@dot-do/worker-kernel/call'
import { log, toServiceError } from '@dot-do/worker-utils'
import { checkMissedTasks } from './alerts.ts'
import type { Env } from './env.ts'
import { cleanUpExecutions } from './operations/runs.ts'
import { auditClocks, lookAhead, repairClocks } from './repairs.ts'

/** schedule does this in its own name. */
const OWN = { principal: { id: 'schedule', permissions: [] } }

type Work = (call: Call<Env>, now: number) => Promise<unknown>

/** Executions and closed alerts stay for so long, in days, unless somebody removes them earlier. */
const KEPT_DAYS = 30

/** What each cron of wrangler.jsonc is for. No task depends on them: they find what a crash left. */
const WORK: Readonly<Record<string, readonly Work[]>> = {
  '*/5 * * * *': [repairClocks, checkMissedTasks],
  '0 * * * *': [lookAhead],
  '0 0 * * *': [async (call) => cleanUpExecutions({ olderThanDays: KEPT_DAYS }, call)],
  '0 0 * * SUN': [auditClocks],
}

/** Runs what belongs to a cron. What fails is logged and waits for the next time, and keeps nothing else from running. */
export async function scheduled({ cron }: Pick<ScheduledController, 'cron'>, env: Env, ctx: Pick<ExecutionContext, 'waitUntil'>): Promise<void> {
  const call = callOf({ env, props: OWN, waitUntil: (promise) => ctx.waitUntil(promise) }, 'queue')
  for (const work of WORK[cron] ?? []) {
    await work(call, Date.now()).catch((thrown: unknown) => {
      const { code, message, cause } = toServiceError(thrown)
      log('error', 'scheduled_work_failed', { cron, requestId: call.requestId, code, message, cause })
    })
  }
}
