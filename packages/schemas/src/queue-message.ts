import * as z from 'zod'
import { permissionSchema } from './ids.ts'
import { text } from './text.ts'

/** Who asks, once checked. */
export const principalSchema = z.strictObject({
  id: text(256).min(1),
  kind: z.enum(['service', 'key', 'user', 'workload', 'anonymous']),
  tenant: text(128).min(1),
  permissions: z.array(permissionSchema).max(1000),
  limitPerMinute: z.int().min(1).optional(),
  session: text(64).optional(),
})

/** What lies in a service's queue. `input` is checked against the operation it names, by whoever runs it. */
export const queueMessageSchema = z.strictObject({
  id: text(256).min(1),
  operation: text(64).regex(/^[A-Za-z][A-Za-z0-9]*$/, 'Must be the name of an operation'),
  input: z.unknown(),
  principal: principalSchema,
  traceparent: text(512).optional(),
})
