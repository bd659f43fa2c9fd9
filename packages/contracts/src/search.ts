import * as z from 'zod'
import { filterSchema, text, thingGlobSchema } from '@dot-do/worker-schemas'
import { Thing, typeName } from './thing.ts'

/** How many numbers an embedding has. */
export const EMBEDDING_DIMENSIONS = 384

/** How things are looked for: by words, by meaning, or by both, their ranks fused. */
export const searchMode = z.enum(['fullText', 'vector', 'hybrid'])

/** Conditions on fields of a thing, all of which must hold; `field` is a path such as `data.year`, or `$type`, `visibility`, `createdAt` … */
export const filter = z.array(filterSchema).max(20).optional().describe('Conditions that must all hold; over HTTP each as JSON')

/** Which things of a namespace. */
export const selection = {
  id: thingGlobSchema.optional().describe('An id in which * stands for anything within a segment and ** for anything, then perhaps ::Type'),
  type: typeName.optional(),
  filter,
}

/** An embedding as a caller gives it: as many finite numbers as the model makes, not all zero. */
export const embedding = z
  .array(z.number())
  .length(EMBEDDING_DIMENSIONS)
  .refine((numbers) => numbers.some((number) => number !== 0), 'must not be all zero: it would have no direction')

/** What is looked for. */
export const query = text(1_000)

/** One part of a hybrid search, and where it put a thing. */
const rank = z.object({ rank: z.int().describe('From 1'), score: z.number() })

/** A thing that was found. */
export const Found = z
  .object({
    thing: Thing,
    score: z.number().describe('Larger is better; comparable within one answer only'),
    explain: z
      .object({ fullText: rank.optional(), vector: rank.optional() })
      .optional()
      .describe('Where each part of the search put it; absent from a part that did not find it'),
  })
  .meta({ id: 'Found' })
