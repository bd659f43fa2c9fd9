import * as z from 'zod'
import { idSchema, paginatedResponseSchema, paginationSchema, text, timestampSchema } from '@dot-do/worker-schemas'
import { command, query } from './contract.ts'
import { namespace } from './thing.ts'
import { Workflow } from './workflow.ts'

const ns = namespace.optional()
const page = { limit: paginationSchema.shape.limit, cursor: paginationSchema.shape.cursor }

/** A text that a model wrote. */
export const Generation = z
  .object({
    id: idSchema('gen'),
    ns: z.string(),
    prompt: z.string(),
    model: z.string(),
    text: z.string(),
    createdBy: z.string(),
    createdAt: timestampSchema,
  })
  .meta({ id: 'Generation' })

/** What queue itself does in jobs, and what it no longer needs. */
export const workOperations = {
  workflow: command({
    summary: 'Run jobs one after another, each with what came of those before, and sleep between them',
    description: 'Only as a job: enqueue queue.workflow. Its steps are jobs of their own; it is as far as they are, also after a failure and a new start.',
    input: Workflow,
    output: z.object({ results: z.record(z.string(), z.unknown()).describe('What each step answered, by its name') }),
    permission: 'jobs:write',
    repeat: 'natural',
    queue: true,
  }),
  crawl: command({
    summary: 'Read a website and keep its pages as things',
    description: 'What robots.txt forbids is left out, private addresses are refused. A page is the thing page/<host>/<path>, of the type WebPage.',
    input: z.object({
      ns,
      url: z.url({ protocol: /^https?$/ }).max(2048),
      limit: z.int().min(1).max(200).default(20).describe('How many pages at most'),
      depth: z.int().min(0).max(10).default(2).describe('How many links away from the first at most; other hosts are never followed'),
    }),
    output: z.object({
      pages: z.array(z.object({ url: z.string(), $id: z.string() })),
      skipped: z.array(z.object({ url: z.string(), reason: z.string() })).describe('At most 100'),
    }),
    permission: 'things:write',
    repeat: 'natural',
    queue: true,
  }),
  generate: command({
    summary: 'Let a model write a text, and keep it',
    description: 'By Workers AI. Where that is not bound, UNAVAILABLE.',
    input: z.object({
      ns,
      prompt: text(32_768).min(1),
      model: text(128)
        .regex(/^@[a-z0-9-]+\/[A-Za-z0-9._/-]+$/, 'Must be the name of a model of Workers AI')
        .default('@cf/meta/llama-3.1-8b-instruct'),
      maxTokens: z.int().min(1).max(4096).default(512),
    }),
    output: Generation,
    permission: 'generations:write',
    repeat: 'keyed',
    http: 'POST /generations',
    status: () => 201,
    statuses: [201],
    limit: 'ai',
    queue: true,
  }),
  getGeneration: query({
    summary: 'Read a text that a model wrote',
    input: z.object({ id: idSchema('gen') }),
    output: Generation,
    permission: 'generations:read',
    http: 'GET /generations/:id',
  }),
  listGenerations: query({
    summary: 'List texts that models wrote, newest first',
    input: z.object({ ns, ...page }),
    output: paginatedResponseSchema(Generation),
    permission: 'generations:read',
    http: 'GET /generations',
  }),
  cleanUpGenerations: command({
    summary: 'Remove texts that models wrote long ago, in every namespace',
    input: z.object({ olderThanDays: z.int().min(1).max(3650).default(90) }),
    output: z.object({ removed: z.int() }),
    permission: 'queue:maintain',
    repeat: 'natural',
    http: 'POST /maintenance/generations',
    queue: true,
  }),
  cleanUpJobs: command({
    summary: 'Remove jobs that ended long ago, with their payloads, in every namespace',
    input: z.object({
      olderThanDays: z.int().min(1).max(3650).default(30).describe('Completed and cancelled ones'),
      deadOlderThanDays: z.int().min(1).max(3650).default(90),
    }),
    output: z.object({ removed: z.int() }),
    permission: 'queue:maintain',
    repeat: 'natural',
    http: 'POST /maintenance/jobs',
    queue: true,
  }),
}
