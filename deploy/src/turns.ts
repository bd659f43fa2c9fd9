import { batch } from '@dot-do/worker-data/database'
import type { Call } from '@dot-do/worker-kernel/call'
import { ServiceError } from '@dot-do/worker-utils'
import type { Attempt } from './attempt.ts'
import type { Env } from './env.ts'

/** How long a deployment waits for those that began before it. One that was killed holds the others up no longer than this. */
const WAIT_MS = 20_000
const PAUSE_MS = 150

/** Deployments of the same place: is an earlier one still under way, and did a later one go live? */
const NEIGHBOURS = `select
    coalesce(bool_or(other.status = 'pending' and other.sequence < own.sequence and other.created_at > now() - interval '30 seconds'), false),
    max(other.id) filter (where other.status = 'live' and other.sequence > own.sequence)
  from deploy.deployments own join deploy.deployments other using (tenant, service, environment)
  where own.id = $1 and other.id <> own.id and other.action in ('deploy', 'promote')`

/** Lets those that began before go live before, so that of two deployments at once the later one stays. CONFLICT if a later one was not waited for by. */
export async function awaitTurn({ row }: Attempt, call: Call<Env>): Promise<void> {
  const until = Date.now() + WAIT_MS
  for (;;) {
    const [result] = await batch(call, [{ sql: NEIGHBOURS, params: [row.id] }])
    const [isPreceded, overtaker] = result?.rows[0] ?? []
    if (typeof overtaker === 'string') throw new ServiceError('CONFLICT', `A later deployment went live meanwhile: ${overtaker}`)
    if (isPreceded !== true || Date.now() > until) return
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
}
