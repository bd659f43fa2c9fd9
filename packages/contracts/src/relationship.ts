import * as z from 'zod'
import { idSchema, jsonObjectSchema, thingIdSchema, timestampSchema } from '@dot-do/worker-schemas'
import { namespace } from './thing.ts'

/** What one thing is to another: `author`, `blog.partOf`. */
export const predicate = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_.-]{0,127}$/, 'must begin with a letter, then letters, digits, "_", "." or "-", at most 128')
  .describe('What the one is to the other')

/** The id of a relationship. */
export const relationshipId = idSchema('rel')

/** How far a walk along relationships goes. */
export const depth = z.int().min(1).max(5).default(1).describe('How many steps away at most')

/** A directed, named relationship between two things of one namespace; there is at most one of a name in a direction. */
export const Relationship = z
  .object({
    id: relationshipId,
    ns: z.string(),
    from: z.string().describe('The $id of the thing it begins at'),
    predicate: z.string(),
    to: z.string().describe('The $id of the thing it leads to'),
    data: z.record(z.string(), z.unknown()),
    version: z.int().describe('Counts the changes, from 1'),
    createdAt: timestampSchema,
    updatedAt: timestampSchema,
  })
  .meta({ id: 'Relationship' })

/** A relationship met on a walk. */
export const WalkedRelationship = Relationship.extend({ depth: z.int().describe('How many steps away, from 1') }).meta({ id: 'WalkedRelationship' })

/** Names one relationship. */
export const relationshipKey = { from: thingIdSchema, predicate, to: thingIdSchema, ns: namespace.optional() }

/** Structured fields of a relationship. */
export const relationshipData = jsonObjectSchema.describe('Structured fields of the relationship itself')
