import { callOf } from '@dot-do/worker-kernel/call'
import type { AnyImplemented } from '@dot-do/worker-kernel/implement'
import { invoke } from '@dot-do/worker-kernel/invoke'
import type { Env } from './env.ts'
import { service } from './service.ts'

/** db does this in its own name. */
const OWN = { principal: { id: 'db', permissions: ['db:maintain'] } }

/** Once an hour: removes for good what was deleted long ago. What else there is to keep up, schedule's built-in tasks do. */
export async function scheduled(_controller: ScheduledController, env: Env, ctx: Pick<ExecutionContext, 'waitUntil'>): Promise<void> {
  const call = callOf({ env, props: OWN, waitUntil: (promise) => ctx.waitUntil(promise) }, 'queue')
  const db = service as unknown as AnyImplemented<Env> // implement() checked operation against contract, name by name
  // `invoke` logs what fails, and the hour after tries again.
  await invoke(db, { name: 'purgeDeleted', gather: () => ({}) }, call).catch(() => undefined)
}
