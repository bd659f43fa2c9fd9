import * as z from 'zod'
import { jsonObjectSchema, paginatedResponseSchema, paginationSchema, text, timestampSchema } from '@dot-do/worker-schemas'
import { command, query } from './contract.ts'
import { JobError, jobId } from './job.ts'
import { Alert, Execution, executionId, ExecutionSummary, executionState, taskRef, Timing, trigger } from './task.ts'
import { namespace } from './thing.ts'

const ns = namespace.optional()
const page = { limit: paginationSchema.shape.limit, cursor: paginationSchema.shape.cursor }
const id = taskRef
const runs = z.array(timestampSchema)

const executionFilters = {
  state: executionState.optional(),
  trigger: trigger.optional(),
  scheduledAfter: timestampSchema.optional(),
  scheduledBefore: timestampSchema.optional(),
  ...page,
}

/** Executions: what became of each time; and alerts. */
export const executionOperations = {
  runNow: command({
    summary: 'Run a task now, perhaps with other arguments, or only tell what would be done',
    input: z.object({
      ns,
      id,
      arguments: jsonObjectSchema.optional().describe('Over its payload or input, field by field; of an HTTP request, its body as JSON'),
      dry: z.boolean().default(false).describe('Checks all that can be checked, and does nothing'),
    }),
    output: z.object({
      execution: ExecutionSummary.nullable().describe('Null if dry'),
      would: z
        .object({ allowed: z.boolean(), reason: z.string().optional(), target: z.unknown() })
        .nullable()
        .describe('What a dry run would do; null otherwise'),
    }),
    permission: 'tasks:write',
    repeat: 'keyed',
    http: 'POST /tasks/:id/run',
    tool: true,
    queue: true,
  }),
  history: query({
    summary: 'List what became of one task, newest first',
    input: z.object({ ns, id, ...executionFilters }),
    output: paginatedResponseSchema(ExecutionSummary),
    permission: 'tasks:read',
    http: 'GET /tasks/:id/history',
    tool: true,
  }),
  executions: query({
    summary: 'List what became of all tasks, newest first',
    input: z.object({
      ns,
      task: taskRef.optional(),
      errorCode: text(32).min(1).optional(),
      job: jobId.optional(),
      ...executionFilters,
    }),
    output: paginatedResponseSchema(ExecutionSummary),
    permission: 'tasks:read',
    http: 'GET /executions',
    tool: true,
  }),
  getExecution: query({
    summary: 'Read one execution with its log and what it answered',
    input: z.object({ id: executionId }),
    output: Execution,
    permission: 'tasks:read',
    http: 'GET /executions/:id',
    tool: true,
  }),
  cancelExecution: command({
    summary: 'End an execution that waits or runs',
    input: z.object({ id: executionId }),
    output: ExecutionSummary,
    permission: 'tasks:write',
    repeat: 'natural',
    http: 'DELETE /executions/:id',
    tool: true,
    queue: true,
  }),
  preview: query({
    summary: 'Tell the next times of a task',
    input: z.object({ ns, id, count: z.int().min(1).max(100).default(10), from: timestampSchema.optional().describe('Now unless told') }),
    output: z.object({ runs }),
    permission: 'tasks:read',
    http: 'GET /tasks/:id/preview',
    tool: true,
  }),
  previewTiming: query({
    summary: 'Tell the next times of an expression, an interval or a date',
    input: z.object({ timing: Timing, count: z.int().min(1).max(100).default(10), from: timestampSchema.optional() }),
    output: z.object({ runs }),
    permission: 'tasks:read',
    http: 'POST /preview',
    tool: true,
  }),
  backfill: command({
    summary: 'Run a task for all its times in a stretch of the past, in order',
    description:
      'At most 1000 times. Those that have an execution already are left out. The payload of a job gets `scheduledFor` where its operation takes one.',
    input: z.object({ ns, id, from: timestampSchema, to: timestampSchema, dry: z.boolean().default(false) }),
    output: z.object({ count: z.int(), runs: runs.describe('The first hundred') }),
    permission: 'tasks:write',
    repeat: 'keyed',
    http: 'POST /tasks/:id/backfill',
    tool: true,
    queue: true,
  }),
  listAlerts: query({
    summary: 'List alerts, newest first',
    input: z.object({ ns, open: z.boolean().optional(), kind: Alert.shape.kind.optional(), ...page }),
    output: paginatedResponseSchema(Alert),
    permission: 'tasks:read',
    http: 'GET /alerts',
    tool: true,
  }),
  settleExecution: command({
    summary: 'Tell what became of the job that an execution waits for',
    description: 'For the queue, over RPC.',
    input: z.object({
      id: executionId,
      job: jobId,
      state: z.enum(['completed', 'dead', 'cancelled']),
      result: z.unknown().optional(),
      error: JobError.nullable(),
    }),
    output: z.object({ settled: z.boolean().describe('False where it had ended before') }),
    permission: 'executions:settle',
    repeat: 'natural',
  }),
  checkServices: command({
    summary: 'Ask every service how it is, and open or close alerts',
    input: z.object({}),
    output: z.object({ services: z.array(z.object({ service: z.string(), status: z.enum(['ok', 'degraded', 'error']), message: z.string().optional() })) }),
    permission: 'schedule:maintain',
    repeat: 'natural',
    http: 'POST /maintenance/services',
    queue: true,
  }),
  checkRateLimits: command({
    summary: 'Look for principals that were often refused for asking too much in the last hour, and open or close alerts',
    input: z.object({ refusals: z.int().min(1).default(100).describe('How often in the hour') }),
    output: z.object({ principals: z.array(z.object({ principal: z.string(), refused: z.int() })) }),
    permission: 'schedule:maintain',
    repeat: 'natural',
    http: 'POST /maintenance/rate-limits',
    queue: true,
  }),
  cleanUpExecutions: command({
    summary: 'Remove executions and closed alerts of long ago, in every namespace',
    input: z.object({ olderThanDays: z.int().min(1).max(3650).default(30) }),
    output: z.object({ removed: z.int() }),
    permission: 'schedule:maintain',
    repeat: 'natural',
    http: 'POST /maintenance/executions',
    queue: true,
  }),
}
