import * as z from 'zod'
import { text } from './text.ts'

/** A field by its dotted path from the root of what is listed (`data.tags`). */
const fieldSchema = z
  .string()
  .max(256)
  .regex(/^[A-Za-z_$][A-Za-z0-9_$-]*(?:\.[A-Za-z0-9_$-]+)*$/, 'Must be a dotted path of names')

const scalarSchema = z.union([text(1024), z.number(), z.boolean(), z.null()])

/** One condition on one field. `in` takes a list, `exists` a boolean, the others one value. */
export const filterSchema = z.discriminatedUnion('op', [
  z.strictObject({ field: fieldSchema, op: z.enum(['eq', 'ne', 'lt', 'lte', 'gt', 'gte', 'contains']), value: scalarSchema }),
  z.strictObject({ field: fieldSchema, op: z.literal('in'), value: z.array(scalarSchema).min(1).max(100) }),
  z.strictObject({ field: fieldSchema, op: z.literal('exists'), value: z.boolean() }),
])

/** One field to sort by; ascending unless told. */
export const sortSchema = z.strictObject({ field: fieldSchema, direction: z.enum(['asc', 'desc']).default('asc') })
