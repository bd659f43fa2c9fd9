import * as z from 'zod'
import { paginatedResponseSchema, paginationSchema, thingIdSchema, thingPathSchema, timestampSchema, visibilitySchema } from '@dot-do/worker-schemas'
import { command, query } from './contract.ts'
import { depth, predicate, Relationship, relationshipData, relationshipKey, WalkedRelationship } from './relationship.ts'
import { embedding, Found, query as searchText, searchMode, selection } from './search.ts'
import { ifVersion, namespace, Thing, thingContent, thingData, thingKey, ThingVersion, typeName } from './thing.ts'

const ns = namespace.optional()
const page = { limit: paginationSchema.shape.limit, cursor: paginationSchema.shape.cursor }

/** The inputs of what changes things and relationships, by the name of the operation. */
export const changeInputs = {
  upsert: z.object({
    $type: typeName,
    $id: thingIdSchema.optional().describe('Made from the type when absent'),
    ns,
    content: thingContent.default(''),
    data: thingData.default({}),
    visibility: visibilitySchema.default('private'),
    ifVersion,
  }),
  update: z.object({
    ...thingKey,
    $type: typeName.optional(),
    content: thingContent.optional(),
    data: thingData.optional().describe('Merged by top-level key; null removes a key'),
    visibility: visibilitySchema.optional(),
    ifVersion,
  }),
  delete: z.object({ ...thingKey, ifVersion }),
  restore: z.object({
    ...thingKey,
    version: z.int().min(1).optional().describe('Which state comes back; that before the deletion unless told'),
    ifVersion,
  }),
  relate: z.object({ ...relationshipKey, data: relationshipData.default({}), ifVersion }),
  unrelate: z.object({ ...relationshipKey, ifVersion }),
}

/** Reading, writing and finding things. */
export const thingOperations = {
  list: query({
    summary: 'List things by id, a page at a time',
    input: z.object({ ns, ...selection, ...page }),
    output: paginatedResponseSchema(Thing),
    permission: 'things:read',
    http: 'GET /things/:id*',
    tool: true,
  }),
  get: query({
    summary: 'Read one thing, as it is or as it was',
    description: 'After the id may come ::Type, which it must have, and @ with a version, a day (as it ended, in UTC) or a moment.',
    input: z.object({ id: thingPathSchema, ns }),
    output: Thing,
    permission: 'things:read',
    http: 'GET /things/:id+',
    tool: true,
  }),
  getAt: query({
    summary: 'Read one thing as it was at a moment',
    input: z.object({ ...thingKey, at: z.iso.datetime({ offset: true }).describe('The moment, ISO 8601 with Z or an offset') }),
    output: Thing,
    permission: 'things:read',
    http: 'GET /at/:id+',
    tool: true,
  }),
  upsert: command({
    summary: 'Write a thing, whether it exists or not',
    description:
      'Replaces type, content, data and visibility as a whole. The same state again changes nothing and keeps the version. A deleted thing comes back under its next version.',
    input: changeInputs.upsert,
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
    input: changeInputs.update,
    output: Thing,
    permission: 'things:write',
    repeat: 'keyed',
    http: 'PATCH /things/:id+',
    tool: true,
    queue: true,
  }),
  delete: command({
    summary: 'Delete a thing; for 30 days it can be restored',
    input: changeInputs.delete,
    output: Thing,
    permission: 'things:write',
    repeat: 'keyed',
    http: 'DELETE /things/:id+',
    tool: true,
    queue: true,
  }),
  restore: command({
    summary: 'Bring back a deleted thing, or a former state of a thing, under its next version',
    input: changeInputs.restore,
    output: Thing,
    permission: 'things:write',
    repeat: 'keyed',
    http: 'POST /restore/:id+',
    tool: true,
    queue: true,
  }),
  count: query({
    summary: 'Count things',
    input: z.object({ ns, ...selection }),
    output: z.object({ count: z.int() }),
    permission: 'things:read',
    http: 'GET /count',
    tool: true,
  }),
  search: query({
    summary: 'Find things by words, by meaning, or by both',
    description:
      'Ranks by relevance. By meaning compares embeddings of one model only; without a model bound, they are made of words and parts of words and know no synonyms.',
    input: z.object({
      ns,
      q: searchText.min(1).optional().describe('What is looked for; words, "phrases", OR and -not'),
      mode: searchMode.optional().describe('hybrid unless told, or fullText where vectors are not to be had'),
      embedding: embedding.optional().describe('What is looked for as a vector in place of q; mode vector only'),
      ...selection,
      explain: z.boolean().default(false).describe('Tells the rank that each part of the search gave'),
      ...page,
    }),
    output: paginatedResponseSchema(Found).extend({
      mode: searchMode,
      model: z.string().nullable().describe('Which model the embeddings are of; null for words alone'),
    }),
    permission: 'things:read',
    http: 'GET /search',
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
  stats: query({
    summary: 'Count things, versions and bytes by type',
    input: z.object({ ns }),
    output: z.object({
      things: z.int(),
      versions: z.int(),
      relationships: z.int(),
      sizeBytes: z.int().describe('Content and data, uncompressed'),
      types: z.array(z.object({ type: z.string(), count: z.int() })).describe('The hundred largest'),
    }),
    permission: 'things:read',
    http: 'GET /stats',
    tool: true,
  }),
  types: query({
    summary: 'List the types of things by name',
    input: z.object({ ns, ...page }),
    output: paginatedResponseSchema(z.object({ type: z.string(), count: z.int(), updatedAt: timestampSchema.describe('When one of them last changed') })),
    permission: 'things:read',
    http: 'GET /types',
    tool: true,
  }),
  recent: query({
    summary: 'List the things that changed last, newest first',
    input: z.object({ ns, type: typeName.optional(), ...page }),
    output: paginatedResponseSchema(Thing),
    permission: 'things:read',
    http: 'GET /recent',
    tool: true,
  }),
  activity: query({
    summary: 'Count changes by day, type and operation, newest day first',
    input: z.object({ ns, type: typeName.optional(), days: z.int().min(1).max(366).default(30).describe('How many days back, in UTC') }),
    output: z.object({ days: z.array(z.object({ day: z.iso.date(), type: z.string(), operation: z.string(), count: z.int() })) }),
    permission: 'things:read',
    http: 'GET /activity',
    tool: true,
  }),
}

/** What things are to each other. */
export const relationshipOperations = {
  relate: command({
    summary: 'Say what one thing is to another',
    description: 'Both must be there. Said again, it replaces the data; the same data again changes nothing.',
    input: changeInputs.relate,
    output: Relationship,
    permission: 'things:write',
    repeat: 'keyed',
    http: 'POST /relationships',
    status: (relationship) => (relationship.version === 1 ? 201 : 200),
    statuses: [200, 201],
    tool: true,
    queue: true,
  }),
  unrelate: command({
    summary: 'Take back what one thing is to another',
    input: changeInputs.unrelate,
    output: Relationship,
    permission: 'things:write',
    repeat: 'keyed',
    http: 'DELETE /relationships',
    tool: true,
    queue: true,
  }),
  relationships: query({
    summary: 'Walk along the relationships that begin at a thing',
    description: 'Nearest first. Each relationship is told once, however many ways lead to it, so a circle ends.',
    input: z.object({ ns, from: thingIdSchema, predicate: predicate.optional(), depth, ...page }),
    output: paginatedResponseSchema(WalkedRelationship),
    permission: 'things:read',
    http: 'GET /relationships',
    tool: true,
  }),
  incoming: query({
    summary: 'Walk back along the relationships that lead to a thing',
    input: z.object({ ns, to: thingIdSchema, predicate: predicate.optional(), depth, ...page }),
    output: paginatedResponseSchema(WalkedRelationship),
    permission: 'things:read',
    http: 'GET /incoming',
    tool: true,
  }),
}
