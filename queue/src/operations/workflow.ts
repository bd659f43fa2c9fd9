import type { Call } from '@dot-do/worker-kernel/call'
import { isErrorCode, ServiceError, toServiceError } from '@dot-do/worker-utils'
import { enqueueJobs } from '../enqueuing.ts'
import type { Env } from '../env.ts'
import { jobContextOf, type JobContext } from '../job-context.ts'
import type { Operations } from '../operations.ts'
import { readResult } from '../payloads.ts'
import { withResults, type Results } from '../workflow/references.ts'
import { hasFailedBecauseOf, jobsOfSteps, KEY_SECONDS, keyOfStep, sleepUntil, type Step, type StepJob } from '../workflow/steps.ts'
import { retryJob } from './retries.ts'

/** A workflow that waits for a step is woken by its end. Durable Objects set no alarm past 2262. */
const UNTIL_WOKEN = '2200-01-01T00:00:00.000Z'

type JobStep = Extract<Step, { type: string }>

/** A workflow as far as it is. */
interface Progressing {
  context: JobContext
  jobs: ReadonlyMap<string, StepJob>
  results: Results
  call: Call<Env>
}

/** What a step has come to: an answer, or when to look again. */
type Reached = { answer?: unknown } | { waitsUntil: string }

export const workflow: Operations['workflow'] = async ({ steps }, call) => {
  const context = jobContextOf(call)
  if (!context) throw new ServiceError('INVALID', 'A workflow is run as a job only: enqueue queue.workflow')
  const jobs = await jobsOfSteps(context.job, call)
  const results: Record<string, unknown> = {}
  for (const [done, step] of steps.entries()) {
    if (context.isCancelled()) throw new ServiceError('CONFLICT', 'Somebody cancelled it')
    const reached = await reach(step, { context, jobs, results, call })
    if ('waitsUntil' in reached) {
      await context.progress({ done, total: steps.length, message: step.name })
      context.park(reached.waitsUntil)
      return { results: {} }
    }
    if ('type' in step) results[step.name] = reached.answer
  }
  return { results }
}

async function reach(step: Step, workflow: Progressing): Promise<Reached> {
  const { context, call } = workflow
  if ('type' in step) return reachJob(step, workflow)
  const until = 'sleepUntil' in step ? step.sleepUntil : await sleepUntil(context.job, step, call)
  return Date.parse(until) <= Date.now() ? {} : { waitsUntil: until }
}

async function reachJob(step: JobStep, workflow: Progressing): Promise<Reached> {
  const { context, jobs, call } = workflow
  const job = jobs.get(step.name)
  if (!job) await begin(step, workflow)
  else if (job.state === 'completed') return { answer: (await readResult(job, call.env)) ?? null }
  else if (job.finishedAt !== null && hasFailedBecauseOf(context.job, job)) await retryJob({ id: job.id }, call)
  else if (job.finishedAt !== null) {
    context.giveUp()
    throw failureOf(step, job)
  }
  return { waitsUntil: UNTIL_WOKEN }
}

/** Makes a step’s job. What is wrong with it is wrong for good: no further attempt would find another payload, or rights that are only looked up anew for a new job. */
async function begin({ name, type, payload, maxAttempts }: JobStep, { context, results, call }: Progressing): Promise<void> {
  const { id, ns, priority } = context.job
  const unique = { uniqueKey: keyOfStep(id, name), uniqueForSeconds: KEY_SECONDS }
  const job = { ns, type, priority, parent: id, ...unique, ...(maxAttempts === undefined ? {} : { maxAttempts }) }
  try {
    await enqueueJobs([{ ...job, payload: withResults(payload, results) }], call)
  } catch (thrown) {
    const error = toServiceError(thrown)
    if (!isErrorForGood(error)) throw thrown
    context.giveUp()
    throw new ServiceError(error.code, `Step ${name}: ${reasonOf(error)}`, { details: error.details, cause: error.cause })
  }
}

function isErrorForGood({ code }: ServiceError): boolean {
  return ['INVALID', 'FORBIDDEN', 'NOT_FOUND', 'TOO_LARGE'].includes(code)
}

function reasonOf({ message, details }: ServiceError): string {
  const [first] = details ?? []
  return first ? `${first.path} ${first.message}` : message
}

/** What ended a step ends the workflow. Who retries the workflow retries the step with it. */
function failureOf({ name }: JobStep, { state, errors }: StepJob): ServiceError {
  const last = errors.at(-1)
  if (state === 'cancelled' || !last) return new ServiceError('CONFLICT', `Step ${name} was cancelled`)
  return new ServiceError(isErrorCode(last.code) ? last.code : 'INTERNAL', `Step ${name}: ${last.message}`)
}
