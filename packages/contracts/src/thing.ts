import * as z from 'zod'
import { jsonObjectSchema, text, thingIdSchema, timestampSchema, visibilitySchema } from '@dot-do/worker-schemas'

/** A namespace: one tenant's things. */
export const namespace = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be lower-case letters, digits and hyphens, at most 63')
  .describe("Whose things; the asker's own unless told")

/** A type's name, `Note` or `BlogPost`. */
export const typeName = z.string().regex(/^[A-Za-z][A-Za-z0-9_.-]{0,127}$/, 'must begin with a letter, then letters, digits, "_", "." or "-", at most 128')

/** The structured part of a thing. */
export const thingData = jsonObjectSchema.describe('Structured fields')

/** Markdown or any other text, up to 512 KiB of characters. */
export const thingContent = text(524_288).describe('Text, usually Markdown')

/** A thing as every interface shows it; the names are MDXLD's. */
export const Thing = z
  .object({
    ns: z.string(),
    $id: z.string(),
    $type: z.string(),
    content: z.string(),
    data: z.record(z.string(), z.unknown()),
    visibility: visibilitySchema,
    version: z.int().describe('Counts the changes, from 1'),
    createdAt: timestampSchema,
    updatedAt: timestampSchema,
  })
  .meta({ id: 'Thing' })

/** One kept state of a thing. */
export const ThingVersion = Thing.extend({
  operation: z.enum(['upsert', 'update', 'delete', 'restore']),
  actor: z.string().describe('The principal that made the change'),
})
  .omit({ createdAt: true, updatedAt: true })
  .extend({ at: timestampSchema })
  .meta({ id: 'ThingVersion' })

/** Names one thing. */
export const thingKey = { id: thingIdSchema, ns: namespace.optional() }

/** What must be true of the stored version for a change to happen; 0 means that there is none yet. */
export const ifVersion = z.int().min(0).optional().describe('The change happens only if this is the current version; 0: only if the thing does not exist')
