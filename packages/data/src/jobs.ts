import { generateId } from '@dot-do/worker-utils'

/** A job as `queue.enqueue` takes it; see queue/migrations/0001_jobs.sql. What a service enqueues by SQL runs in that service's own name. */
export interface JobElement {
  /** `job_…`; made where it is absent. */
  id?: string
  /** `<service>.<operation>`, offered to the queue by the service's contract; nobody checks it before the job runs. */
  type: string
  payload?: Record<string, unknown>
  priority?: number
  /** Not before this. */
  runAt?: string
  group?: string
  groupConcurrency?: number
  uniqueKey?: string
  uniqueForSeconds?: number
  maxAttempts?: number
  backoffSeconds?: number
  requestId?: string
  traceparent?: string
  /** Who is told of the end; for schedule. */
  origin?: string
  /** With whose authority it runs; for schedule. */
  principal?: { id: string; kind: string; tenant: string }
  /** Whose it is; for schedule. */
  ns?: string
}

/** What wakes the queue for jobs that lie there already. */
export interface WakeHint {
  jobs: string[]
}

/** A statement that puts jobs into the queue, for a batch of one's own; together with the ids that the jobs will have. Send `wakeHint(ids)` to a lane once it is committed. */
export function enqueueStatement(
  jobs: readonly JobElement[],
  createdAt = new Date().toISOString(),
): { statement: { sql: string; params: string[] }; ids: string[] } {
  const elements = jobs.map((job) => ({ ...job, id: job.id ?? generateId('job'), createdAt }))
  return { statement: { sql: 'select queue.enqueue($1::jsonb)', params: [JSON.stringify(elements)] }, ids: elements.map(({ id }) => id) }
}

/** What to send to a lane after the commit. What nobody wakes is found within a minute. */
export function wakeHint(ids: readonly string[]): WakeHint {
  return { jobs: [...ids] }
}
