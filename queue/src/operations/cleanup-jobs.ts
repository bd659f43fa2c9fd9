import { batch } from '@dot-do/worker-data/database'
import type { Operations } from '../operations.ts'

/** So many are removed by one statement, and so many statements are run; what is left, the next day removes. R2 removes no more than a thousand objects at once. */
const AT_ONCE = 500
const ROUNDS = 200

const DAY_MS = 86_400_000

/** A workflow, when it is retried, goes on from what its steps answered: they are kept for as long as it is. */
const IS_OVER = `(parent is null or not exists (select from queue.jobs workflow where workflow.id = j.parent))`

const REMOVE = `
with old as (
  select id from queue.jobs j where state in ('completed', 'cancelled') and finished_at <= $1::timestamptz and ${IS_OVER}
  union all
  select id from queue.jobs j where state = 'dead' and finished_at <= $2::timestamptz and ${IS_OVER}
  limit ${AT_ONCE}
) delete from queue.jobs j using old where j.id = old.id and origin is null returning payload_key, result_key`

export const cleanUpJobs: Operations['cleanUpJobs'] = async ({ olderThanDays, deadOlderThanDays }, call) => {
  const now = Date.now()
  const params = [olderThanDays, deadOlderThanDays].map((days) => new Date(now - days * DAY_MS).toISOString())
  let removed = 0
  for (let round = 0; round < ROUNDS; round++) {
    const [result] = await batch(call, [{ sql: REMOVE, params }])
    const rows = result?.rows ?? []
    // Should this be all that is heard of it, the objects are left alone: nobody finds them, and nobody misses them.
    const keys = rows.flat().filter((key): key is string => typeof key === 'string')
    if (keys.length > 0) await call.env.QUEUE_BUCKET.delete(keys)
    removed += rows.length
    if (rows.length < AT_ONCE) break
  }
  return { removed }
}
