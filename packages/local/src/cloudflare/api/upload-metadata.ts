import * as z from 'zod'
import { CloudflareError, invalidUpload } from '../errors.ts'
import type { Script } from '../store/script.ts'

/** How many tags a script of a dispatch namespace may have: https://developers.cloudflare.com/cloudflare-for-platforms/workers-for-platforms/platform/limits/ */
const MOST_TAGS = 8

const object = z.record(z.string(), z.unknown())

/** Tags, which a filter `a:yes,b:no` has to be able to name. */
export const Tags = z
  .array(
    z
      .string()
      .min(1)
      .max(255)
      .regex(/^[^,&]+$/, 'a tag has no comma and no ampersand'),
  )
  .max(1000)
  .transform((tags) => [...new Set(tags)])
  .refine((tags) => tags.length <= MOST_TAGS, `a script has at most ${MOST_TAGS} tags`)

const step = {
  new_classes: z.array(z.string()).optional(),
  new_sqlite_classes: z.array(z.string()).optional(),
  deleted_classes: z.array(z.string()).optional(),
  renamed_classes: z.array(z.object({ from: z.string(), to: z.string() })).optional(),
}

/** A migration of Durable Object classes: one step, or several. */
export const Migrations = z.object({
  old_tag: z.string().optional(),
  new_tag: z.string().optional(),
  tag: z.string().optional(),
  steps: z.array(z.object(step)).max(1000).optional(),
  ...step,
})

/** What can be said of a script with its code and without. Bindings are looked at one by one, so that a refusal can name them. */
const settings = {
  bindings: z.array(object).max(1000).optional(),
  compatibility_date: z
    .string()
    .regex(/^\d{4}-\d{2}-\d{2}$/, 'must be a date like 2026-11-21')
    .optional(),
  compatibility_flags: z.array(z.string().max(200)).max(100).optional(),
  limits: object.optional(),
  logpush: z.boolean().nullish(),
  observability: object.nullish(),
  placement: object.nullish(),
  tags: Tags.optional(),
  tail_consumers: z.array(object).max(100).nullish(),
  migrations: Migrations.optional(),
}

/** The part `settings` of a change without code. */
export const SettingsPatch = z.object(settings)

/** What a change without code says. */
export type Settings = z.output<typeof SettingsPatch>

/** The part `metadata` of an upload. What is not named here is accepted and not kept. */
export const UploadMetadata = z.object({
  ...settings,
  main_module: z.string().optional(),
  body_part: z.string().optional(),
  keep_bindings: z.array(z.string()).max(100).optional(),
  keep_assets: z.boolean().optional(),
  assets: z.object({ jwt: z.string().optional(), config: object.optional() }).optional(),
  annotations: z.object({ 'workers/message': z.string().optional(), 'workers/tag': z.string().optional() }).optional(),
})

/** What an upload says beside its modules. */
export type Metadata = z.output<typeof UploadMetadata>

/** Refuses dates that no calendar has and those still to come, as the runtime cannot know what will be compatible then. */
export function checkCompatibilityDate(date: string | undefined, now: number): void {
  if (date === undefined) return
  const at = new Date(`${date}T00:00:00Z`)
  if (Number.isNaN(at.getTime()) || at.toISOString().slice(0, 10) !== date) throw invalidUpload(`compatibility_date: ${date} is not a date`)
  // A day ahead is today somewhere.
  if (at.getTime() > now + 86_400_000) throw new CloudflareError(400, 10_021, `compatibility_date: Can't set compatibility date in the future: "${date}"`)
}

/** The settings of a script by the store's names; those not given are left out. */
export function settingsOf(given: Settings): Partial<Script> {
  return definedIn({
    compatibilityDate: given.compatibility_date,
    compatibilityFlags: given.compatibility_flags,
    limits: given.limits,
    logpush: given.logpush ?? undefined,
    observability: given.observability ?? undefined,
    placement: given.placement ?? undefined,
    tags: given.tags,
    tailConsumers: given.tail_consumers ?? undefined,
  })
}

/** An object without the fields that are undefined. */
export function definedIn<Fields extends object>(fields: Fields): { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> }
}
