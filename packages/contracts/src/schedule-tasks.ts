import * as z from 'zod'
import { paginatedResponseSchema, paginationSchema, text, timestampSchema } from '@dot-do/worker-schemas'
import { command, query } from './contract.ts'
import { executionState, Target, Task, taskInput, taskRef, Timing } from './task.ts'
import { namespace } from './thing.ts'

const ns = namespace.optional()
const page = { limit: paginationSchema.shape.limit, cursor: paginationSchema.shape.cursor }
const id = taskRef

/** Tasks: what is to be done, and when. */
export const taskOperations = {
  createTask: command({
    summary: 'Make a task',
    description: 'The asker must be allowed what the task does, now and whenever it runs.',
    input: z.object({ ns, ...taskInput, enabled: z.boolean().default(true), note: text(1024).optional() }),
    output: Task,
    permission: 'tasks:write',
    repeat: 'keyed',
    http: 'POST /tasks',
    status: () => 201,
    statuses: [201],
    tool: true,
    queue: true,
  }),
  updateTask: command({
    summary: 'Change a task',
    description: 'What is not named stays. It runs with the authority of whoever changed its target last.',
    input: z.object({
      ns,
      id,
      name: taskInput.name.optional(),
      description: text(1024).optional(),
      timing: Timing.optional(),
      target: Target.optional(),
      overlap: taskInput.overlap.unwrap().optional(),
      catchUpSeconds: taskInput.catchUpSeconds.unwrap().optional(),
      jitterSeconds: taskInput.jitterSeconds.unwrap().optional(),
      retries: taskInput.retries.unwrap().optional(),
      retryAfterSeconds: taskInput.retryAfterSeconds.unwrap().optional(),
      timeoutSeconds: taskInput.timeoutSeconds.unwrap().optional(),
      alertAfterSeconds: taskInput.alertAfterSeconds.unwrap().nullable().optional(),
      ifVersion: z.int().min(1).optional().describe('Refused with CONFLICT if the task has another version'),
    }),
    output: Task,
    permission: 'tasks:write',
    repeat: 'natural',
    http: 'PATCH /tasks/:id',
    tool: true,
    queue: true,
  }),
  deleteTask: command({
    summary: 'Delete a task; what it ran stays in the history',
    input: z.object({ ns, id }),
    output: z.object({ id: z.string(), deleted: z.boolean().describe('False when it was not there') }),
    permission: 'tasks:write',
    repeat: 'natural',
    http: 'DELETE /tasks/:id',
    tool: true,
    queue: true,
  }),
  enable: command({
    summary: 'Let a paused task run again, from its next time on',
    input: z.object({ ns, id }),
    output: Task,
    permission: 'tasks:write',
    repeat: 'natural',
    http: 'POST /tasks/:id/enable',
    tool: true,
    queue: true,
  }),
  disable: command({
    summary: 'Pause a task',
    input: z.object({ ns, id, note: text(1024).optional().describe('Why') }),
    output: Task,
    permission: 'tasks:write',
    repeat: 'natural',
    http: 'POST /tasks/:id/disable',
    tool: true,
    queue: true,
  }),
  getTask: query({
    summary: 'Read one task',
    input: z.object({ ns, id }),
    output: Task,
    permission: 'tasks:read',
    http: 'GET /tasks/:id',
    tool: true,
  }),
  listTasks: query({
    summary: 'List tasks by name',
    input: z.object({
      ns,
      enabled: z.boolean().optional(),
      kind: z.enum(['job', 'operation', 'http']).optional(),
      target: text(256).min(1).optional().describe('A type of job, an operation or a URL'),
      createdBy: text(256).min(1).optional(),
      dueBefore: timestampSchema.optional(),
      lastState: executionState.optional().describe('How its last execution ended'),
      ...page,
    }),
    output: paginatedResponseSchema(Task),
    permission: 'tasks:read',
    http: 'GET /tasks',
    tool: true,
  }),
}
