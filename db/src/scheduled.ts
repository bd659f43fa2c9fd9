import { callOf } from '@dot-do/worker-kernel/call'
import type { AnyImplemented } from '@dot-do/worker-kernel/implement'
import { invoke } from '@dot-do/worker-kernel/invoke'
import { hasVectors } from './embedding.ts'
import type { Env } from './env.ts'
import { service } from './service.ts'

/** db does this in its own name. */
const OWN = { principal: { id: 'db', permissions: ['db:maintain'] } }

/** So many parts of the embeddings that are missing one hour makes; what is left, the next one does. */
const MAX_PARTS = 50

/** Once an hour: makes the embeddings that are missing, and removes for good what was deleted long ago. Neither keeps the other from being done; `invoke` logs what fails. */
export async function scheduled(_controller: ScheduledController, env: Env, ctx: Pick<ExecutionContext, 'waitUntil'>): Promise<void> {
  const call = callOf({ env, props: OWN, waitUntil: (promise) => ctx.waitUntil(promise) }, 'queue')
  const run = (name: string) => invoke(service as unknown as AnyImplemented<Env>, { name, gather: () => ({}) }, call) // implement() checked operation against contract, name by name
  const embeddings = async () => {
    if (!(await hasVectors(env))) return
    for (let part = 0; part < MAX_PARTS; part++) {
      const { made, missing } = (await run('generateMissingEmbeddings')) as { made: number; missing: number } // its output by contract
      if (made === 0 || missing === 0) return
    }
  }
  await Promise.allSettled([embeddings(), run('purgeDeleted')])
}
