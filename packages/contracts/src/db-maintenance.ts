import * as z from 'zod'
import { paginatedResponseSchema, paginationSchema, timestampSchema } from '@dot-do/worker-schemas'
import { command, query } from './contract.ts'

/** A copy of the database in R2. */
export const Backup = z
  .object({
    key: z.string().describe('Its name in the bucket'),
    at: timestampSchema.describe('What it is of'),
    sizeBytes: z.int(),
    rows: z.int(),
    services: z.array(z.string()),
  })
  .meta({ id: 'Backup' })

/** What the platform does for db’s upkeep, beside embeddings and deleted things. */
export const maintenanceOperations = {
  backup: command({
    summary: 'Copy what every service keeps into R2, and forget copies that are too old',
    description:
      'Each service’s rows are of one moment; `pnpm db:restore` takes the file. Copies of the last 14 days and the first of each of the last 12 months stay.',
    input: z.object({}),
    output: Backup,
    permission: 'db:maintain',
    repeat: 'natural',
    http: 'POST /maintenance/backups',
    limit: 'batch',
    queue: true,
  }),
  listBackups: query({
    summary: 'List the copies of the database, newest first',
    input: z.object({ limit: paginationSchema.shape.limit, cursor: paginationSchema.shape.cursor }),
    output: paginatedResponseSchema(Backup),
    permission: 'db:maintain',
    http: 'GET /maintenance/backups',
  }),
  updateAnalytics: command({
    summary: 'Sum up the events of the hours that are over, so that reports over months need not read them all',
    description: 'Hours that were summed up already are summed up anew when late events came.',
    input: z.object({ hours: z.int().min(1).max(744).default(3).describe('How many past hours to look at') }),
    output: z.object({ hours: z.int().describe('How many were summed up'), rows: z.int() }),
    permission: 'db:maintain',
    repeat: 'natural',
    http: 'POST /maintenance/analytics',
    queue: true,
  }),
  listRefusals: query({
    summary: 'Tell who was often refused for asking too much, in every namespace, the most often first',
    input: z.object({
      from: timestampSchema,
      to: timestampSchema,
      refusals: z.int().min(1).describe('How often at least'),
      limit: z.int().min(1).max(1000).default(100),
    }),
    output: z.object({ items: z.array(z.object({ principal: z.string(), refused: z.int() })) }),
    permission: 'refusals:read',
    http: 'GET /maintenance/refusals',
  }),
}
