import * as z from 'zod'
import { createValidator, timestampSchema } from '@dot-do/worker-schemas'
import { Relationship } from './relationship.ts'
import { namespace, Thing, typeName } from './thing.ts'

/** What a change did. */
const about = {
  cursor: z.string().describe('Ask for what comes after it with since'),
  ns: z.string(),
  actor: z.string().describe('The principal that made the change'),
  at: timestampSchema,
}

/** One change as the feed tells it: which thing or relationship became what, by whom. */
export const Change = z
  .discriminatedUnion('kind', [
    z.object({ ...about, kind: z.literal('thing'), operation: z.enum(['upsert', 'update', 'delete', 'restore']), thing: Thing }),
    z.object({ ...about, kind: z.literal('relationship'), operation: z.enum(['relate', 'unrelate']), relationship: Relationship }),
  ])
  .meta({ id: 'Change' })

/** From where on changes are told, and of what. */
export const changesInput = z.object({
  ns: namespace.optional(),
  since: z
    .string()
    .min(1)
    .max(4096)
    .optional()
    .describe('The cursor of the last change that is known; `now` for what is yet to come; absent: from the first one kept'),
  types: z.array(typeName).min(1).max(100).optional().describe('Only things of these types; relationships then are left out'),
})

/** Parses what is asked of the feed, for a method that no contract has; throws INVALID. */
export const parseChangesInput = createValidator(changesInput)
