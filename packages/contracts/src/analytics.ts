import * as z from 'zod'
import { jsonObjectSchema, text, timestampSchema } from '@dot-do/worker-schemas'

const name = z.string().regex(/^[A-Za-z][A-Za-z0-9_.-]{0,127}$/, 'must begin with a letter, then letters, digits, "_", "." or "-", at most 128')

/** Something that happened. All but its type may be absent; `request` and `call` are what the platform itself tracks. */
export const TrackedEvent = z.strictObject({
  type: name.describe('What happened: `signup`, `page.viewed`'),
  at: timestampSchema.optional().describe('When; now unless told'),
  service: name.optional().describe('Which service it happened in'),
  operation: name.optional(),
  principal: text(256).optional().describe('Who did it; the asker unless told'),
  status: z.int().min(0).max(999).optional().describe('As HTTP has it'),
  durationMs: z.number().min(0).max(86_400_000).optional(),
  requestId: text(128).optional(),
  data: jsonObjectSchema.optional().describe('Whatever else; at most 16 KiB as JSON'),
})

/** What can be asked of the events. */
export const report = z
  .enum(['requests', 'errors', 'latency', 'activity', 'types', 'keys'])
  .describe(
    'requests: how many by service and operation; errors: the most frequent failures; latency: percentiles by service and operation; activity: how many over time; types: how many by type; keys: who asks most',
  )

/** A report's row: its groups, then its figures. */
export const reportRow = z.record(z.string(), z.union([z.string().describe('A group or a time'), z.number().describe('A figure')]))
