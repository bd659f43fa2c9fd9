import * as z from 'zod'
import reservedNames from './reserved-names.json' with { type: 'json' }

/** Names that are the platform's own: nobody publishes under them, and their hosts lead to the platform. */
export const RESERVED_NAMES: ReadonlySet<string> = new Set(reservedNames)

/** A version as hosts spell it, `v12`; no worker and no tenant is called so. */
export const versionLabelPattern = /^v[1-9][0-9]{0,8}$/

const NAME = /^[a-z](?:[a-z0-9]|-(?=[a-z0-9])){0,39}$/

/** What a published worker may be called: a label of a host name without `--`, which separates its parts from its version in a script's name. */
export const workerNameSchema = z
  .string()
  .regex(NAME, 'must begin with a letter, then lower-case letters, digits and single hyphens, at most 40')
  .refine((name) => !RESERVED_NAMES.has(name), "is one of the platform's own names")
  .refine((name) => !versionLabelPattern.test(name), 'reads like a version')
