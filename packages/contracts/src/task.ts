import * as z from 'zod'
import { idSchema, jsonObjectSchema, text, timestampSchema } from '@dot-do/worker-schemas'
import { jobId, jobInput, jobType } from './job.ts'

/** The id of a task. */
export const taskId = idSchema('task')

/** The id of an execution. */
export const executionId = idSchema('exec')

/** A task's name, unique in its namespace. */
export const taskName = text(128)
  .regex(/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/, 'Must be lower-case letters, digits and inner hyphens')
  .meta({ examples: ['hourly-report'] })

/** A task by its id or its name. */
export const taskRef = z.union([taskId, taskName]).describe('Its id or its name')

const timezone = text(64).min(1).describe('Of the IANA database, as Europe/London')

/** When a task is due. */
export const Timing = z.union([
  z.strictObject({
    cron: text(256)
      .min(1)
      .describe('Five fields, or six with seconds first; L, W, # and ? as in Quartz, weekdays 0 or 7 is Sunday; @hourly, @daily, @weekly, @monthly, @yearly')
      .meta({ examples: ['0 9 * * MON-FRI'] }),
    timezone: timezone.default('UTC'),
  }),
  z.strictObject({
    everySeconds: z.int().min(1).max(31_536_000),
    anchor: timestampSchema.optional().describe('Counted from here; from the making of the task unless told'),
  }),
  z.strictObject({ at: timestampSchema.describe('Once; not in the past') }),
])

/** What a task does when it is due. */
export const Target = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('job'),
    type: jobType,
    payload: jobInput.payload,
    priority: jobInput.priority,
    group: jobInput.group,
    maxAttempts: jobInput.maxAttempts,
  }),
  z.strictObject({
    kind: z.literal('operation'),
    operation: text(128)
      .regex(/^[a-z][a-z0-9-]*\.[a-z][A-Za-z0-9]*$/, 'Must be <service>.<operation>')
      .describe('Called over RPC; one that would happen twice if called twice is refused'),
    input: jsonObjectSchema.default({}),
  }),
  z.strictObject({
    kind: z.literal('http'),
    method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']).default('POST'),
    url: z
      .url({ protocol: /^https?$/ })
      .max(2048)
      .describe('Private addresses are refused'),
    headers: z.record(text(128), text(4096)).default({}).describe('Shown to whoever may read the task: no place for secrets'),
    body: text(131_072).optional(),
  }),
])

/** What becomes of a time that comes while the task still runs: left out, kept until it has ended (one at most), or begun beside it. */
export const overlap = z.enum(['skip', 'buffer', 'allow'])

/** How an execution ended, or that it has not; `skipped` by overlap, `missed` by an outage longer than the catch-up window. */
export const executionState = z.enum(['waiting', 'running', 'completed', 'failed', 'timed-out', 'skipped', 'missed', 'cancelled'])

/** Why there is an execution. */
export const trigger = z.enum(['schedule', 'catch-up', 'manual', 'backfill'])

/** What is said of a task when it is made. */
export const taskInput = {
  name: taskName,
  description: text(1024).default(''),
  timing: Timing,
  target: Target,
  overlap: overlap.default('skip'),
  catchUpSeconds: z
    .int()
    .min(0)
    .max(2_592_000)
    .default(300)
    .describe('Times that were missed by no more than this are made up for, each; older ones are noted as missed'),
  jitterSeconds: z.int().min(0).max(3600).default(0).describe('Begins up to so much later, by an amount of its own for each time'),
  retries: z.int().min(0).max(3).default(0).describe('After an attempt that failed. A job has attempts of its own besides'),
  retryAfterSeconds: z.int().min(1).max(3600).default(10).describe('Before the first retry; doubled for each further one'),
  timeoutSeconds: z.int().min(1).max(86_400).default(300).describe('For one attempt; a job is cancelled then'),
  alertAfterSeconds: z
    .int()
    .min(10)
    .max(31_536_000)
    .optional()
    .describe('An alert is opened when a time is this long past and no execution of it or a later one has completed'),
}

/** A task as every interface shows it. */
export const Task = z
  .object({
    id: taskId,
    ns: z.string(),
    ...taskInput,
    enabled: z.boolean(),
    note: z.string().optional().describe('Why it is paused'),
    builtIn: z.boolean().describe('Comes with the platform; it can be changed and paused, not deleted'),
    nextRunAt: timestampSchema.nullable().describe('Null while it is paused and when no time is left'),
    lastExecution: z.object({ id: executionId, state: executionState, scheduledFor: timestampSchema }).nullable(),
    version: z.int().describe('Counts the changes, from 1'),
    createdBy: z.string(),
    createdAt: timestampSchema,
    updatedAt: timestampSchema,
  })
  .meta({ id: 'Task' })

/** One time a task ran, or should have; lists leave out log and result. */
export const ExecutionSummary = z
  .object({
    id: executionId,
    ns: z.string(),
    task: taskId,
    taskName: z.string(),
    trigger,
    state: executionState,
    scheduledFor: timestampSchema,
    startedAt: timestampSchema.nullable(),
    finishedAt: timestampSchema.nullable(),
    attempts: z.int(),
    job: jobId.optional().describe('That it waits or waited for'),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
  })
  .meta({ id: 'ExecutionSummary' })

/** One time a task ran, with all that is known of it. */
export const Execution = z
  .object({
    ...ExecutionSummary.shape,
    log: z.array(z.object({ at: timestampSchema, message: z.string() })).describe('At most 100 lines'),
    result: z.unknown().optional().describe('What its target answered; of a text, the first 16 KiB'),
  })
  .meta({ id: 'Execution' })

/** Something that people should look at, until it is over. */
export const Alert = z
  .object({
    id: idSchema('alert'),
    ns: z.string(),
    kind: z.enum(['task-missed', 'service-unhealthy', 'rate-limited']),
    subject: z.string().describe('Which task, service or principal'),
    message: z.string(),
    openedAt: timestampSchema,
    seenAt: timestampSchema.describe('When it was last so'),
    closedAt: timestampSchema.nullable(),
  })
  .meta({ id: 'Alert' })
