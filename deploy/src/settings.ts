import { variableName, type Binding } from '@dot-do/worker-contracts/deployment'
import type * as z from 'zod'
import { refusal } from './refusal.ts'

/** What a worker may hold of the platform. */
export type PublishedBinding = z.output<typeof Binding>

/** A value of a variable. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json }

/** The date whose behaviour a worker gets that asks for none: the platform's own. */
const DEFAULT_DATE = '2026-11-01'

/** What all variables may weigh together, as JSON; Cloudflare allows 5 KB for each. */
const VARS_LIMIT_BYTES = 65_536
const MAX_VARS = 100

/** Flags that loosen what keeps published workers apart, or that Cloudflare keeps to itself. */
const REFUSED_FLAGS = new Set(['experimental', 'allow_custom_ports', 'allow_irrevocable_stub_storage'])

/** What a worker runs under. */
export interface Settings {
  bindings: PublishedBinding[]
  vars: Record<string, Json>
  compatibilityDate: string
  compatibilityFlags: string[]
}

/** What the input says of settings. */
export interface SentSettings {
  bindings?: PublishedBinding[] | undefined
  vars?: Record<string, unknown> | undefined
  compatibility_date?: string | undefined
  compatibility_flags?: string[] | undefined
}

/** Checks bindings, variables and compatibility; sorted, so that the same settings read the same. */
export function readSettings(sent: SentSettings, now: Date): Settings {
  const { bindings = [], vars = {}, compatibility_date: compatibilityDate = DEFAULT_DATE, compatibility_flags: flags = [] } = sent
  if (compatibilityDate > now.toISOString().slice(0, 10)) throw refusal('compatibility_date', `is in the future: ${compatibilityDate}`)
  const refused = flags.findIndex((flag) => REFUSED_FLAGS.has(flag))
  if (refused >= 0) throw refusal(`compatibility_flags.${refused}`, `may not be set: ${flags[refused]}`)
  refuseNames(bindings, vars)
  return {
    bindings: bindings.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    vars: vars as Record<string, Json>, // the contract's schema lets nothing through but JSON
    compatibilityDate,
    compatibilityFlags: [...new Set(flags)].sort(),
  }
}

function refuseNames(bindings: readonly PublishedBinding[], vars: Record<string, unknown>): void {
  const names = Object.keys(vars)
  if (names.length > MAX_VARS) throw refusal('vars', `are more than ${MAX_VARS}`)
  if (JSON.stringify(vars).length > VARS_LIMIT_BYTES) throw refusal('vars', `are longer than ${VARS_LIMIT_BYTES} characters together`, 'TOO_LARGE')
  for (const name of names) {
    const { error } = variableName.safeParse(name)
    if (error) throw refusal(`vars.${name}`, error.issues[0]?.message ?? 'is not a name')
  }
  const seen = new Set(names)
  for (const [index, { name }] of bindings.entries()) {
    if (seen.has(name)) throw refusal(`bindings.${index}.name`, `is taken already: ${name}`)
    seen.add(name)
  }
}
