import * as z from 'zod'
import { permissionPattern, thingGlobPattern, thingIdMaxBytes, thingIdPattern, thingPathPattern } from './patterns.ts'

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

/** The `$id` of a thing, of what type it must be, and when: `note/hello`, `note/hello::Note`, `note/hello@3`, `note/hello@2026-11-21`, `note/hello@2026-11-21T09:30:00Z`. */
export const thingPathSchema = z
  .string()
  .max(thingIdMaxBytes + 168)
  .regex(thingPathPattern, 'Must be an id, then perhaps ::Type, then perhaps @version, @date or @time')
  .refine((path) => isThingId(path), 'Must be segments of A-Z a-z 0-9 . _ ~ - joined by /, none of them . or ..')

/** Which things of a list: `note/*`, `note/**`, `**\/*`, `note/*::Note`, `::Note`; a plain id names one. At most 16 stars. */
export const thingGlobSchema = z
  .string()
  .min(1)
  .max(thingIdMaxBytes + 130)
  .regex(thingGlobPattern, 'Must be an id in which * and ** stand for anything, then perhaps ::Type')
  .refine((glob) => glob.split('*').length <= 17, 'Must have at most 16 stars')

/** A permission such as `things:write` or `deployments:create@db/production/acme`. */
export const permissionSchema = z.string().max(512).regex(permissionPattern, 'Must be noun:verb or *, optionally narrowed by @service/environment/tenant')

/** A point in time on the wire: ISO 8601 in UTC with `Z`. */
export const timestampSchema = z.iso.datetime()

/** Who may read a thing: its own ns, or anyone. */
export const visibilitySchema = z.enum(['private', 'public'])

function isThingId(path: string): boolean {
  const id = path.split(/::|@/, 1)[0] ?? ''
  return id.length <= thingIdMaxBytes && thingIdPattern.test(id)
}
