import { jobState } from '@dot-do/worker-contracts/job'
import { namespaceFor } from '@dot-do/worker-utils'
import { batch } from '@dot-do/worker-data/database'
import type * as z from 'zod'
import type { Operations } from '../operations.ts'

type Counts = Record<z.output<typeof jobState>, number>

const COUNTS = 'select type, state, count(*)::integer from queue.jobs where ns = $1 group by type, state order by type'

/** Pending jobs are due; the one whose time was first has waited longest. */
const OLDEST = `select extract(epoch from $2::timestamptz - min(run_at))::float8 from queue.jobs where ns = $1 and state = 'pending'`

export const stats: Operations['stats'] = async (input, call) => {
  const ns = namespaceFor(call.principal, input.ns)
  const [counted, oldest] = await batch(call, [
    { sql: COUNTS, params: [ns] },
    { sql: OLDEST, params: [ns, new Date().toISOString()] },
  ])
  const states = none()
  const types = new Map<string, Counts>()
  for (const [type, state, count] of (counted?.rows ?? []) as [string, keyof Counts, number][]) {
    const ofType = types.get(type) ?? none()
    types.set(type, ofType)
    ofType[state] = count
    states[state] += count
  }
  return { states, oldestDueSeconds: Math.max(0, Number(oldest?.rows[0]?.[0] ?? 0)), types: [...types].map(([type, ofType]) => ({ type, states: ofType })) }
}

function none(): Counts {
  return Object.fromEntries(jobState.options.map((state) => [state, 0])) as Counts // one count for each state
}
