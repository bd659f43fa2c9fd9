import { callOf } from '@dot-do/worker-kernel/call'
import type { AnyImplemented } from '@dot-do/worker-kernel/implement'
import { invoke } from '@dot-do/worker-kernel/invoke'
import { log, toServiceError } from '@dot-do/worker-utils'
import type { Env } from './env.ts'
import { tellForgottenOrigins } from './origins.ts'
import { OWN } from './own.ts'
import { service } from './service.ts'
import { waker } from './waking.ts'

/** The cron of each minute; the other one is that of each day. */
const EACH_MINUTE = '* * * * *'

/** Each minute: looks for what nobody woke, sets the Waker right and tells of ends that nobody could be told of. Each day: removes jobs that ended long ago. */
export async function scheduled({ cron }: Pick<ScheduledController, 'cron'>, env: Env, ctx: Pick<ExecutionContext, 'waitUntil'>): Promise<void> {
  const call = callOf({ env, props: OWN, waitUntil: (promise) => ctx.waitUntil(promise) }, 'queue')
  const cleanUp = () => invoke(service as unknown as AnyImplemented<Env>, { name: 'cleanUpJobs', gather: () => ({}) }, call) // implement() checked operation against contract, name by name
  const outcomes = await Promise.allSettled(cron === EACH_MINUTE ? [waker(env).sweep(), tellForgottenOrigins(call)] : [cleanUp()])
  for (const outcome of outcomes) if (outcome.status === 'rejected') logFailure(outcome.reason, cron)
}

function logFailure(thrown: unknown, cron: string): void {
  const { code, message, cause } = toServiceError(thrown)
  log('error', 'scheduled_work_failed', { cron, code, message, cause })
}
