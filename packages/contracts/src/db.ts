import * as z from 'zod'
import { idSchema, text, thingIdSchema, timestampSchema } from '@dot-do/worker-schemas'
import { report, reportRow, TrackedEvent } from './analytics.ts'
import { command, contract, query, type MessageOf, type ServiceOf } from './contract.ts'
import { maintenanceOperations } from './db-maintenance.ts'
import { publicOperations } from './db-public.ts'
import { changeInputs, relationshipOperations, thingOperations } from './db-things.ts'
import { health } from './health.ts'
import { Relationship } from './relationship.ts'
import { namespace, Thing } from './thing.ts'

const ns = namespace.optional()

/** In a batch, the id that an earlier command made: `{ "$result": "0.$id" }`, of a relationship `0.id`. */
const reference = z.strictObject({ $result: z.string().regex(/^\d{1,2}\.\$?id$/, 'must be <number of an earlier command>.$id') })
const thingId = z.union([thingIdSchema, reference])

/** One command of a batch: an operation that changes a thing or a relationship, and its input. Ids in it, and values anywhere in `data`, may be references. */
export const BatchCommand = z.discriminatedUnion('operation', [
  z.strictObject({ operation: z.literal('upsert'), input: changeInputs.upsert.extend({ $id: thingId.optional() }).strict() }),
  z.strictObject({ operation: z.literal('update'), input: changeInputs.update.extend({ id: thingId }).strict() }),
  z.strictObject({ operation: z.literal('delete'), input: changeInputs.delete.extend({ id: thingId }).strict() }),
  z.strictObject({ operation: z.literal('restore'), input: changeInputs.restore.extend({ id: thingId }).strict() }),
  z.strictObject({ operation: z.literal('relate'), input: changeInputs.relate.extend({ from: thingId, to: thingId }).strict() }),
  z.strictObject({ operation: z.literal('unrelate'), input: changeInputs.unrelate.extend({ from: thingId, to: thingId }).strict() }),
])

/** One line of an export: a thing, or a relationship between two. */
export const ImportedLine = z.union([
  z.strictObject({ ...changeInputs.upsert.omit({ ns: true, ifVersion: true }).shape, $id: thingIdSchema }),
  z.strictObject(changeInputs.relate.omit({ ns: true, ifVersion: true }).shape),
])

/** One parametrised statement: `$1`, `$2` … in `sql`. A value is what PostgreSQL's text form and JSON both carry. */
export const Statement = z.object({ sql: text(262_144).min(1), params: z.array(z.json()).max(65_535).default([]) })

const Rows = z.object({
  command: z.string(),
  rowCount: z.int(),
  fields: z.array(z.object({ name: z.string(), dataTypeID: z.int() })),
  rows: z.array(z.array(z.unknown())).describe("Each row's values in the order of `fields`; int8, numeric and times as text"),
})

const MEBIBYTE = 1_048_576

export const db = contract(
  'db',
  {
    summary:
      'The only holder of database connections: things, what they are to each other, their history, search, analytics, and SQL for the platform’s services',
    version: '0.2.0',
  },
  {
    health,
    ...thingOperations,
    ...relationshipOperations,
    ...publicOperations,
    ...maintenanceOperations,
    batch: command({
      summary: 'Change up to 100 things and relationships, all or none',
      description: 'In order. Where an id is due, { "$result": "0.$id" } stands for that of what an earlier command made.',
      input: z.object({ commands: z.array(BatchCommand).min(1).max(100) }),
      output: z.object({ results: z.array(z.union([Thing, Relationship])) }),
      permission: 'things:write',
      repeat: 'keyed',
      http: 'POST /batch',
      limit: 'batch',
      tool: true,
      queue: true,
    }),
    import: command({
      summary: 'Write up to 1000 exported things and relationships, all or none',
      input: z.object({ ns, lines: z.array(ImportedLine).min(1).max(1000) }),
      output: z.object({ things: z.int(), relationships: z.int(), changed: z.int().describe('How many of both were not there or not so') }),
      permission: 'things:write',
      repeat: 'keyed',
      http: 'POST /import',
      bodyLimitBytes: 4 * MEBIBYTE,
      limit: 'batch',
      queue: true,
    }),
    embed: command({
      summary: 'Make the embedding of a thing anew',
      input: z.object({ ns, id: thingIdSchema }),
      output: z.object({ model: z.string(), version: z.int().describe('The version of the thing that it was made of') }),
      permission: 'things:write',
      repeat: 'natural',
      http: 'POST /embeddings',
      limit: 'ai',
      queue: true,
    }),
    generateMissingEmbeddings: command({
      summary: 'Make the embeddings that are missing or of another model or an older version, in every namespace',
      input: z.object({ limit: z.int().min(1).max(10_000).default(200).describe('How many at most in this call') }),
      output: z.object({ made: z.int(), missing: z.int().describe('How many are still to be made') }),
      permission: 'db:maintain',
      repeat: 'natural',
      http: 'POST /maintenance/embeddings',
      queue: true,
    }),
    purgeDeleted: command({
      summary: 'Remove for good what was deleted more than 30 days ago, in every namespace',
      input: z.object({}),
      output: z.object({ things: z.int(), relationships: z.int() }),
      permission: 'db:maintain',
      repeat: 'natural',
      http: 'POST /maintenance/deleted',
      queue: true,
    }),
    track: command({
      summary: 'Record events for analytics',
      description: 'Kept durably before it answers, and written in batches. While ClickHouse is away they wait, and are written once when it is back.',
      input: z.object({ ns, events: z.array(TrackedEvent).min(1).max(1000) }),
      output: z.object({ accepted: z.int(), id: idSchema('evb').describe('Of this batch') }),
      permission: 'events:write',
      repeat: 'keyed',
      http: 'POST /events',
      queue: true,
    }),
    trackLines: command({
      summary: 'Record the requests and calls that a service of the platform saw',
      description:
        'For the platform’s services, over RPC. Each event is a line of JSON by the names of its columns, of whatever namespace, and is kept as it comes.',
      input: z.object({
        lines: z
          .string()
          .min(1)
          .max(MEBIBYTE / 2),
        events: z.int().min(1).max(1000),
      }),
      output: z.object({ accepted: z.int() }),
      permission: 'events:relay',
      repeat: 'unsafe',
    }),
    analyze: query({
      summary: 'Report on events: requests, errors, latency, activity, types, keys',
      input: z.object({
        ns,
        report,
        from: timestampSchema.optional().describe('24 hours before `to` unless told'),
        to: timestampSchema.optional().describe('Now unless told'),
        service: z.string().max(128).optional(),
        interval: z.enum(['minute', 'hour', 'day']).default('hour').describe('What `activity` is counted by'),
        limit: z.int().min(1).max(1000).default(100),
      }),
      output: z.object({ report, from: timestampSchema, to: timestampSchema, rows: z.array(reportRow) }),
      permission: 'events:read',
      http: 'GET /analytics/:report',
      cost: 5,
      tool: true,
    }),
    query: query({
      summary: 'Run one read-only SQL statement over db’s own tables',
      description: 'For platform administrators. Values go into `params` and are named $1, $2 … At most 1000 rows and five seconds.',
      input: z.object({ sql: Statement.shape.sql, params: Statement.shape.params }),
      output: z.object({
        columns: z.array(z.string()),
        rows: z.array(z.array(z.unknown())),
        truncated: z.boolean().describe('Whether there were more than 1000 rows'),
      }),
      permission: 'db:query',
      tool: true,
    }),
    execute: command({
      summary: 'Run statements as one transaction under the calling service’s own PostgreSQL role',
      description: 'For the platform’s services, over RPC. The role is the binding’s principal; a call on behalf of somebody else is refused.',
      input: z.object({ statements: z.array(Statement).min(1).max(200), readOnly: z.boolean().default(false) }),
      output: z.object({ results: z.array(Rows) }),
      permission: 'db:execute',
      repeat: 'unsafe',
    }),
  },
)

/** What a binder of db sees. */
export type Db = ServiceOf<typeof db>

/** What db's queue accepts. */
export type DbMessage = MessageOf<typeof db>
