import * as z from 'zod'
import { paginatedResponseSchema, paginationSchema, thingGlobSchema, thingPathSchema } from '@dot-do/worker-schemas'
import { query } from './contract.ts'
import { namespace, Thing, typeName } from './thing.ts'

const ns = namespace.describe('Whose public things')

/** Reading what is public, of whatever namespace. Over RPC alone: to the outside these are the hosts `<ns>.mw`, where answers are cached. */
export const publicOperations = {
  getPublic: query({
    summary: 'Read one public thing of a namespace, as it is or as it was',
    description: 'A state in which it was private is not there, and neither is any state of what is private now.',
    input: z.object({ ns, id: thingPathSchema }),
    output: Thing,
    permission: 'public',
  }),
  listPublic: query({
    summary: 'List the public things of a namespace by id, a page at a time',
    input: z.object({
      ns,
      id: thingGlobSchema.optional().describe('An id in which * and ** stand for anything, then perhaps ::Type'),
      type: typeName.optional(),
      limit: paginationSchema.shape.limit,
      cursor: paginationSchema.shape.cursor,
    }),
    output: paginatedResponseSchema(Thing),
    permission: 'public',
  }),
}
