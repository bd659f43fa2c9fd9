import type { Workflow } from '@dot-do/worker-contracts/workflow'
import { batch, database } from '@dot-do/worker-data/database'
import type { Call } from '@dot-do/worker-kernel/call'
import { eq } from 'drizzle-orm'
import type * as z from 'zod'
import type { Env } from '../env.ts'
import { iso, type JobRow } from '../job-row.ts'
import { jobs } from '../tables.ts'

/** One step of a workflow, as its payload has it. */
export type Step = z.output<typeof Workflow>['steps'][number]

/** The job that a step is, as far as the workflow looks at it. */
export type StepJob = Pick<JobRow, 'id' | 'state' | 'result' | 'resultKey' | 'errors' | 'finishedAt'>

/** The unique key of a step’s job, which tells which step it is: two that run the same workflow make one job of each step. */
export function keyOfStep(workflow: string, step: string): string {
  return `${workflow}/${step}`
}

/** Longer than any workflow takes, so that no step is made a second time. */
export const KEY_SECONDS = 20 * 366 * 86_400

/** The jobs that the steps of a workflow are, by the steps’ names. */
export async function jobsOfSteps({ id }: JobRow, call: Call<Env>): Promise<Map<string, StepJob>> {
  const { state, result, resultKey, errors, finishedAt, uniqueKey } = jobs
  const found = await database(call)
    .select({ id: jobs.id, state, result, resultKey, errors, finishedAt, uniqueKey })
    .from(jobs)
    .where(eq(jobs.parent, id))
    .limit(100)
  return new Map(found.map(({ uniqueKey: key, ...job }) => [(key ?? '').slice(id.length + 1), job]))
}

/** Until when a workflow sleeps in a step: so long after it first came there. */
export async function sleepUntil({ id }: JobRow, { name, sleepSeconds }: { name: string; sleepSeconds: number }, call: Call<Env>): Promise<string> {
  const until = new Date(Date.now() + sleepSeconds * 1000).toISOString()
  const insert = { sql: 'insert into queue.sleeps (job, step, until) values ($1, $2, $3::timestamptz) on conflict do nothing', params: [id, name, until] }
  const [, kept] = await batch(call, [insert, { sql: 'select until from queue.sleeps where job = $1 and step = $2', params: [id, name] }])
  return iso(String(kept?.rows[0]?.[0] ?? until))
}

/** Whether a workflow has failed because of a step before: then it was begun again by somebody, and the step with it. */
export function hasFailedBecauseOf({ errors }: Pick<JobRow, 'errors'>, { finishedAt }: StepJob): boolean {
  return finishedAt !== null && errors.some(({ at }) => Date.parse(at) >= Date.parse(finishedAt))
}
