import * as z from 'zod'
import { permissionPattern, thingIdMaxBytes, thingIdPattern } from './patterns.ts'

/** An id made by `generateId(prefix)`: `note_` and 26 characters of Crockford's base 32. */
export function idSchema(prefix: string): z.ZodString {
  return z
    .string()
    .regex(new RegExp(`^${prefix}_[0-9a-hjkmnp-tv-z]{26}$`), `Must be an id beginning with ${prefix}_`)
    .max(prefix.length + 27)
}

/** The `$id` of a thing, such as `note/2026/hello`. */
export const thingIdSchema = z
  .string()
  .min(1)
  .max(thingIdMaxBytes)
  .regex(thingIdPattern, 'Must be segments of A-Z a-z 0-9 . _ ~ - joined by /, none of them . or ..')

/** A permission such as `things:write` or `deployments:create@db/production/acme`. */
export const permissionSchema = z.string().max(512).regex(permissionPattern, 'Must be noun:verb or *, optionally narrowed by @service/environment/tenant')

/** A point in time on the wire: ISO 8601 in UTC with `Z`. */
export const timestampSchema = z.iso.datetime()

/** Who may read a thing: its own ns, or anyone. */
export const visibilitySchema = z.enum(['private', 'public'])
