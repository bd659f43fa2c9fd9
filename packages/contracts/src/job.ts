import * as z from 'zod'
import { idSchema, jsonObjectSchema, text, timestampSchema } from '@dot-do/worker-schemas'

/** The id of a job. */
export const jobId = idSchema('job')

/** The largest payload of a job, in bytes of JSON; past INLINE_PAYLOAD_BYTES it lies in R2. */
export const PAYLOAD_BYTES = 10 * 1_048_576

/** Payloads and results up to this lie in the job's row. */
export const INLINE_PAYLOAD_BYTES = 128 * 1024

/**
 * What a job is at. `delayed` waits for its time, `pending` is due; `failed` waits for another attempt after one that failed; `dead` has none left.
 * completed, cancelled and dead are ends.
 */
export const jobState = z.enum(['pending', 'delayed', 'running', 'failed', 'completed', 'cancelled', 'dead'])

/** What a job does: an operation that its service offers to the queue, or the other name of one. */
export const jobType = text(128)
  .regex(/^[a-z][a-z0-9-]*(?:\.[A-Za-z][A-Za-z0-9]*)?$/, 'Must be <service>.<operation>, as in db.upsert, or another name of one, as in generate-embedding')
  .meta({ examples: ['db.upsert'] })

/** How far a running job is. */
export const Progress = z.object({
  done: z.number().min(0).describe('In whatever it is counted in'),
  total: z.number().min(0).optional().describe('Absent while nobody knows'),
  message: text(1024).optional(),
})

/** Why an attempt failed. */
export const JobError = z.object({ attempt: z.int(), at: timestampSchema, code: z.string(), message: z.string() })

const group = text(128).min(1).describe('Jobs of one group run in the order they were enqueued')
const uniqueKey = text(256).min(1).describe('While another job of this type has it, no second one is made')

/** A job without what it was given and what came of it; what lists show. */
export const JobSummary = z
  .object({
    id: jobId,
    ns: z.string(),
    type: jobType,
    state: jobState,
    priority: z.int().min(0).max(9).describe('9 goes first; 7 to 9, 3 to 6 and 0 to 2 are lanes of their own'),
    attempts: z.int(),
    maxAttempts: z.int(),
    runAt: timestampSchema.describe('Not before this; of a failed job, its next attempt'),
    group: group.optional(),
    uniqueKey: uniqueKey.optional(),
    parent: jobId.optional().describe('The workflow it is a step of'),
    progress: Progress.nullable(),
    errors: z.array(JobError).describe('One for each attempt that failed, oldest first; at most 50'),
    payloadBytes: z.int(),
    createdBy: z.string().describe('With whose authority it runs, as far as that goes when it does'),
    createdAt: timestampSchema,
    startedAt: timestampSchema.optional().describe('Of the latest attempt'),
    finishedAt: timestampSchema.optional(),
    cancelRequestedAt: timestampSchema.optional().describe('Somebody wants a running job to end'),
  })
  .meta({ id: 'JobSummary' })

/** A job as it is. */
export const Job = z
  .object({ ...JobSummary.shape, payload: z.unknown(), result: z.unknown().optional().describe('What its operation answered') })
  .meta({ id: 'Job' })

/** A job that was just asked for. */
export const EnqueuedJob = z
  .object({ ...JobSummary.shape, created: z.boolean().describe('False where another job had the unique key: this is that one') })
  .meta({ id: 'EnqueuedJob' })

/** What a job is asked for with. */
export const jobInput = {
  type: jobType,
  payload: jsonObjectSchema.default({}).describe('The input of the operation; up to 10 MiB'),
  priority: z.int().min(0).max(9).default(5),
  runAt: timestampSchema.optional().describe('Not before this; at most a minute ago, at most five years from now'),
  delaySeconds: z.int().min(0).max(157_680_000).optional().describe('Instead of runAt'),
  group: group.optional(),
  groupConcurrency: z
    .int()
    .min(1)
    .max(100)
    .optional()
    .describe('How many of the group may run at once; 1 unless ever told. The last word counts for the whole group'),
  uniqueKey: uniqueKey.optional(),
  uniqueForSeconds: z
    .int()
    .min(1)
    .max(2_592_000)
    .optional()
    .describe('How long the key is taken from now on, also past the end of the job; without it, until the job ends'),
  maxAttempts: z.int().min(1).max(20).optional().describe('3 unless the type says otherwise'),
  backoffSeconds: z
    .int()
    .min(1)
    .max(3600)
    .optional()
    .describe('Before the second attempt; doubled for each further one up to an hour, with jitter. 60 unless the type says otherwise'),
}

/** How the jobs of a type are run, where not as all are. */
export const TypeSettings = z.object({
  maxAttempts: z.int().min(1).max(20).nullable().describe('For jobs that do not say it'),
  backoffSeconds: z.int().min(1).max(3600).nullable().describe('For jobs that do not say it'),
  ratePerMinute: z.int().min(1).max(100_000).nullable().describe('How many may start a minute; null: any number'),
  concurrency: z.int().min(1).max(1000).nullable().describe('How many may run at once; null: any number'),
})

/** A kind of job that can be asked for. */
export const JobTypeSummary = z
  .object({
    type: jobType,
    aliases: z.array(z.string()),
    summary: z.string(),
    permission: z.string().describe('What whoever enqueues it must be allowed'),
    settings: TypeSettings,
  })
  .meta({ id: 'JobType' })
