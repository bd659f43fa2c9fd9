import * as z from 'zod'
import { paginatedResponseSchema, paginationSchema, text, thingIdSchema, visibilitySchema } from '@dot-do/worker-schemas'
import { command, contract, query, type MessageOf, type ServiceOf } from './contract.ts'
import { health } from './health.ts'
import { ifVersion, namespace, Thing, thingContent, thingData, thingKey, ThingVersion, typeName } from './thing.ts'

const ns = namespace.optional()
const page = { limit: paginationSchema.shape.limit, cursor: paginationSchema.shape.cursor }

const upsertInput = z.object({
  $type: typeName,
  $id: thingIdSchema.optional().describe('Made from the type when absent'),
  ns,
  content: thingContent.default(''),
  data: thingData.default({}),
  visibility: visibilitySchema.default('private'),
  ifVersion,
})

const updateInput = z.object({
  ...thingKey,
  $type: typeName.optional(),
  content: thingContent.optional(),
  data: thingData.optional().describe('Merged by top-level key; null removes a key'),
  visibility: visibilitySchema.optional(),
  ifVersion,
})

const deleteInput = z.object({ ...thingKey, ifVersion })

/** A value of a statement or a row: what PostgreSQL's text form and JSON both carry. */
const value = z.json()

/** One parametrised statement: `$1`, `$2` … in `sql`. */
const Statement = z.object({ sql: text(262_144).min(1), params: z.array(value).max(65_535).default([]) })

const Rows = z.object({
  command: z.string(),
  rowCount: z.int(),
  fields: z.array(z.object({ name: z.string(), dataTypeID: z.int() })),
  rows: z.array(z.array(z.unknown())).describe("Each row's values in the order of `fields`; int8, numeric and times as text"),
})

/** One command of a batch: an operation that changes a thing, and its input. */
export const BatchCommand = z.discriminatedUnion('operation', [
  z.strictObject({ operation: z.literal('upsert'), input: upsertInput.strict() }),
  z.strictObject({ operation: z.literal('update'), input: updateInput.strict() }),
  z.strictObject({ operation: z.literal('delete'), input: deleteInput.strict() }),
])

export const db = contract(
  'db',
  { summary: 'The only holder of database connections: things, their history, and SQL for the platform’s services', version: '0.1.0' },
  {
    health,
    get: query({
      summary: 'Read one thing',
      input: z.object(thingKey),
      output: Thing,
      permission: 'things:read',
      http: 'GET /things/:id+',
      tool: true,
    }),
    list: query({
      summary: 'List things by id, a page at a time',
      input: z.object({ ns, type: typeName.optional(), ...page }),
      output: paginatedResponseSchema(Thing),
      permission: 'things:read',
      http: 'GET /things',
      tool: true,
    }),
    upsert: command({
      summary: 'Write a thing, whether it exists or not',
      description:
        'Replaces type, content, data and visibility as a whole. The same state again changes nothing and keeps the version. A deleted thing comes back under its next version.',
      input: upsertInput,
      output: Thing,
      permission: 'things:write',
      repeat: 'keyed',
      http: 'POST /things',
      status: (thing) => (thing.version === 1 ? 201 : 200),
      statuses: [200, 201],
      tool: true,
      queue: true,
    }),
    update: command({
      summary: 'Change some fields of a thing',
      input: updateInput,
      output: Thing,
      permission: 'things:write',
      repeat: 'keyed',
      http: 'PATCH /things/:id+',
      tool: true,
      queue: true,
    }),
    delete: command({
      summary: 'Delete a thing; its history stays, and writing it again brings it back',
      input: deleteInput,
      output: Thing,
      permission: 'things:write',
      repeat: 'keyed',
      http: 'DELETE /things/:id+',
      tool: true,
      queue: true,
    }),
    count: query({
      summary: 'Count things',
      input: z.object({ ns, type: typeName.optional() }),
      output: z.object({ count: z.int() }),
      permission: 'things:read',
      http: 'GET /count',
      tool: true,
    }),
    history: query({
      summary: 'List what a thing has been, newest first',
      input: z.object({ ...thingKey, ...page }),
      output: paginatedResponseSchema(ThingVersion),
      permission: 'things:read',
      http: 'GET /history/:id+',
      tool: true,
    }),
    batch: command({
      summary: 'Change up to 100 things, all or none',
      input: z.object({ commands: z.array(BatchCommand).min(1).max(100) }),
      output: z.object({ results: z.array(Thing) }),
      permission: 'things:write',
      repeat: 'keyed',
      http: 'POST /batch',
      limit: 'batch',
      tool: true,
      queue: true,
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
    stats: query({
      summary: 'Count things, versions and bytes by type',
      input: z.object({ ns }),
      output: z.object({
        things: z.int(),
        versions: z.int(),
        sizeBytes: z.int().describe('Content and data, uncompressed'),
        types: z.array(z.object({ type: z.string(), count: z.int() })).describe('The hundred largest'),
      }),
      permission: 'things:read',
      http: 'GET /stats',
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
