import { queue } from '@dot-do/worker-contracts/queue'
import { batch } from '@dot-do/worker-data/database'
import { checkHealth } from '@dot-do/worker-kernel/health'
import type { Operations } from '../operations.ts'

/** Who waits longer for nothing but a runner waits too long. */
const LATE_MS = 5 * 60_000

/** Jobs of groups and of types that may run only so many at once wait for one another, so they tell nothing. */
const LATE = `select exists (select from queue.jobs where state = 'pending' and run_at <= $1::timestamptz and created_at <= $1::timestamptz and group_name is null
  and type not in (select type from queue.types where concurrency is not null))`

export const health: Operations['health'] = (_input, call) =>
  checkHealth(queue, {
    db: async () => {
      await batch(call, [{ sql: 'select 1', params: [] }])
    },
    lanes: async () => {
      const [result] = await batch(call, [{ sql: LATE, params: [new Date(Date.now() - LATE_MS).toISOString()] }])
      return result?.rows[0]?.[0] === true ? { status: 'degraded', message: 'Some jobs have been due for more than five minutes' } : undefined
    },
  })
