import * as z from 'zod'
import { jsonObjectSchema, paginatedResponseSchema, paginationSchema, text, timestampSchema } from '@dot-do/worker-schemas'
import { command, query } from './contract.ts'
import { EnqueuedJob, Job, jobId, jobInput, jobState, JobSummary, jobType, JobTypeSummary, PAYLOAD_BYTES, Progress, TypeSettings } from './job.ts'
import { namespace } from './thing.ts'

const ns = namespace.optional()
const page = { limit: paginationSchema.shape.limit, cursor: paginationSchema.shape.cursor }
const KIBIBYTE = 1024

const counts = z.object(Object.fromEntries(jobState.options.map((state) => [state, z.int()])) as Record<z.infer<typeof jobState>, z.ZodInt>) // one count for each state

/** Jobs: how they come in, what becomes of them, how their types are run. */
export const jobOperations = {
  enqueue: command({
    summary: 'Put a job into the queue',
    description: 'Kept durably before it answers. The asker must be allowed what the job does, now and when it runs.',
    input: z.object({ ns, ...jobInput }),
    output: EnqueuedJob,
    permission: 'jobs:write',
    repeat: 'keyed',
    http: 'POST /jobs',
    bodyLimitBytes: PAYLOAD_BYTES + 64 * KIBIBYTE,
    status: ({ created }) => (created ? 201 : 200),
    statuses: [200, 201],
    tool: true,
    queue: true,
  }),
  enqueueBatch: command({
    summary: 'Put up to 100 jobs into the queue, all or none',
    input: z.object({ ns, jobs: z.array(z.strictObject(jobInput)).min(1).max(100) }),
    output: z.object({ jobs: z.array(EnqueuedJob) }),
    permission: 'jobs:write',
    repeat: 'keyed',
    http: 'POST /jobs/batch',
    bodyLimitBytes: PAYLOAD_BYTES + 64 * KIBIBYTE,
    limit: 'batch',
    status: () => 201,
    statuses: [201],
    tool: true,
    queue: true,
  }),
  getJob: query({
    summary: 'Read one job, with what it was given and what came of it',
    input: z.object({ id: jobId }),
    output: Job,
    permission: 'jobs:read',
    http: 'GET /jobs/:id',
    tool: true,
  }),
  listJobs: query({
    summary: 'List jobs, newest first',
    input: z.object({
      ns,
      state: jobState.optional(),
      type: jobType.optional(),
      group: text(128).min(1).optional(),
      uniqueKey: text(256).min(1).optional(),
      priority: z.int().min(0).max(9).optional(),
      parent: jobId.optional().describe('The steps of this workflow'),
      createdBy: text(256).min(1).optional(),
      errorCode: text(32).min(1).optional().describe('Of the latest attempt that failed, as NOT_FOUND'),
      createdAfter: timestampSchema.optional(),
      createdBefore: timestampSchema.optional(),
      ...page,
    }),
    output: paginatedResponseSchema(JobSummary),
    permission: 'jobs:read',
    http: 'GET /jobs',
    tool: true,
  }),
  cancelJob: command({
    summary: 'Cancel a job',
    description:
      'One that waits is cancelled at once. One that runs is asked to end, and is cancelled unless it has done its work by then. One that ended stays as it is.',
    input: z.object({ id: jobId }),
    output: JobSummary,
    permission: 'jobs:write',
    repeat: 'natural',
    http: 'DELETE /jobs/:id',
    tool: true,
    queue: true,
  }),
  retryJob: command({
    summary: 'Run a dead, failed or cancelled job again, now, perhaps with another payload',
    description: 'It gets all its attempts anew and keeps its errors. A job that waits already is only given the payload and the priority.',
    input: z.object({
      id: jobId,
      payload: jsonObjectSchema.optional().describe('Instead of what it was given'),
      priority: z.int().min(0).max(9).optional(),
    }),
    output: JobSummary,
    permission: 'jobs:write',
    repeat: 'natural',
    http: 'POST /jobs/:id/retry',
    bodyLimitBytes: PAYLOAD_BYTES + 64 * KIBIBYTE,
    tool: true,
    queue: true,
  }),
  redrive: command({
    summary: 'Run many dead jobs again',
    input: z.object({
      ns,
      ids: z.array(jobId).min(1).max(1000).optional(),
      type: jobType.optional(),
      group: text(128).min(1).optional(),
      errorCode: text(32).min(1).optional(),
      diedAfter: timestampSchema.optional(),
      diedBefore: timestampSchema.optional(),
      limit: z.int().min(1).max(1000).default(1000),
    }),
    output: z.object({ redriven: z.int(), remaining: z.int().describe('Dead ones that fit and are still dead') }),
    permission: 'jobs:write',
    repeat: 'natural',
    http: 'POST /redrive',
    limit: 'batch',
    tool: true,
    queue: true,
  }),
  reportProgress: command({
    summary: 'Tell how far a running job is',
    input: z.object({ id: jobId, progress: Progress }),
    output: z.object({ cancelRequested: z.boolean().describe('Whether the job should end') }),
    permission: 'jobs:write',
    repeat: 'natural',
    http: 'POST /jobs/:id/progress',
  }),
  stats: query({
    summary: 'Count jobs by state and type',
    input: z.object({ ns }),
    output: z.object({
      states: counts,
      oldestDueSeconds: z.number().describe('How long the job that has waited longest past its time has done so'),
      types: z.array(z.object({ type: z.string(), states: counts })),
    }),
    permission: 'jobs:read',
    http: 'GET /stats',
    tool: true,
  }),
  listTypes: query({
    summary: 'List what jobs there can be',
    input: z.object({}),
    output: z.object({ items: z.array(JobTypeSummary) }),
    permission: 'jobs:read',
    http: 'GET /types',
    tool: true,
  }),
  updateType: command({
    summary: 'Settle how the jobs of a type are run: attempts, waits, rate, concurrency',
    input: z.object({ type: jobType, ...TypeSettings.partial().shape }),
    output: JobTypeSummary,
    permission: 'queue:configure',
    repeat: 'natural',
    http: 'PATCH /types/:type',
  }),
}
