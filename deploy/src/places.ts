import { environmentOf, type Tier } from '@dot-do/worker-contracts/deployment'
import { access, type Environment } from '@dot-do/worker-contracts/published'
import type * as z from 'zod'
import { refusal } from './refusal.ts'

type Access = z.output<typeof access>

/** Where a worker is published. */
export interface Place {
  tenant: string
  service: string
  environment: Environment
}

/** Namespaces where the target is named by environment; scripts/worker-namespaces.json says the same. */
export const ENVIRONMENT_NAMESPACES: Readonly<Record<Environment, string>> = {
  production: 'dotdo-production',
  staging: 'dotdo-staging',
  development: 'dotdo-development',
  internal: 'dotdo-internal',
}

/** Namespaces where the target is named by tier. */
export const TIER_NAMESPACES: Readonly<Record<Tier, string>> = { internal: 'dotdo-internal', public: 'dotdo-public', tenant: 'dotdo-tenant' }

/** The tenant that is the platform itself: its workers have the short hosts. */
const PLATFORM = 'default'

const ZONES: Readonly<Record<Environment, string>> = { production: '', staging: '.staging', development: '.dev', internal: '.internal' }

const TIER_ACCESS: Readonly<Record<Tier, Access>> = { internal: 'admin', public: 'public', tenant: 'tenant' }

/** The dispatch namespace of a target. INVALID if environment and tier contradict each other. */
export function namespaceOf(target: { environment?: Environment | undefined; tier?: Tier | undefined }): string {
  const { environment, tier } = target
  const meant = environmentOf({ tier })
  if (tier === undefined) return ENVIRONMENT_NAMESPACES[environmentOf(target)]
  if (environment !== undefined && environment !== meant)
    throw refusal('tier', `${tier} means the environment ${meant}, not ${environment}; send one of the two`)
  return TIER_NAMESPACES[tier]
}

/** Who may call a version: what was asked for, or what is usual there. Internal workers are for administrators whatever was asked. */
export function accessOf(asked: Access | null, place: Place, tier?: Tier): Access {
  if (place.environment === 'internal') return 'admin'
  if (asked) return asked
  if (tier) return TIER_ACCESS[tier]
  return place.tenant === PLATFORM ? 'public' : 'tenant'
}

/** What a version's script is called in its namespace: `hello--v3`, `acme--hello--v3`. Neither name has `--` in it, so no two are alike. */
export function scriptName({ tenant, service }: Pick<Place, 'tenant' | 'service'>, version: number): string {
  return tenant === PLATFORM ? `${service}--v${version}` : `${tenant}--${service}--v${version}`
}

/** The address of a worker, or of one version of it. `suffix` is what follows a production host name here. */
export function urlOf({ tenant, service, environment }: Place, suffix: string, version?: number): string {
  const owner = tenant === PLATFORM ? '' : `${tenant}.`
  const zone = tenant !== PLATFORM && environment === 'production' ? '.tenant' : ZONES[environment]
  const label = version === undefined ? '' : `v${version}.`
  return `${suffix === '' ? 'https' : 'http'}://${label}${owner}${service}${zone}.do${suffix}/`
}

/** A branch as a label of a host name; null if nothing of it can be one. */
export function branchLabel(branch: string | undefined): string | null {
  const label = (branch ?? '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, 42)
    .replace(/-+$/, '')
  return label === '' ? null : label
}

/** The place a command is about: production, and the asker's own tenant, unless told. */
export function placeOf(input: { service: string; environment?: Environment | undefined; tenant?: string | undefined }, asker: { tenant: string }): Place {
  return { tenant: input.tenant ?? asker.tenant, service: input.service, environment: input.environment ?? 'production' }
}
