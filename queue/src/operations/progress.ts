import { batch } from '@dot-do/worker-data/database'
import { ServiceError } from '@dot-do/worker-utils'
import type { Operations } from '../operations.ts'
import { shownJobOf } from '../reading.ts'

export const reportProgress: Operations['reportProgress'] = async ({ id, progress }, call) => {
  const { state } = await shownJobOf(id, call)
  const sql = `update queue.jobs set progress = $2::jsonb where id = $1 and state = 'running' returning cancel_requested_at is not null`
  const [result] = await batch(call, [{ sql, params: [id, JSON.stringify(progress)] }])
  const [row] = result?.rows ?? []
  if (!row) throw new ServiceError('CONFLICT', `The job is ${state}, not running`)
  return { cancelRequested: row[0] === true }
}
