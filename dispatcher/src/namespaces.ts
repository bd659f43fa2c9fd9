import { ServiceError } from '@dot-do/worker-utils'
import type { Env } from './env.ts'
import { limitsOf } from './plans.ts'
import type { Kept } from './slot.ts'
import type { TenantSettings } from './tenant-settings.ts'

/** The binding of each dispatch namespace, by the namespace's name. */
const BINDINGS = {
  'dotdo-production': 'PRODUCTION',
  'dotdo-staging': 'STAGING',
  'dotdo-development': 'DEVELOPMENT',
  'dotdo-internal': 'INTERNAL',
  'dotdo-public': 'PUBLIC',
  'dotdo-tenant': 'TENANT',
} as const satisfies Record<string, keyof Env>

/** Whose script is to run, and under which settings. */
export interface Tenancy {
  tenant: string
  worker: string
  settings: Pick<TenantSettings, 'plan' | 'outbound'>
}

/** A version's script, within its tenant's limits; what it calls passes by the outbound Worker. Whether the script is there shows when it is called. */
export function scriptOf({ namespace, script }: Kept, { tenant, worker, settings }: Tenancy, env: Env): Fetcher {
  if (!Object.hasOwn(BINDINGS, namespace)) throw new ServiceError('UNAVAILABLE', `${worker} lies where this dispatcher does not reach`)
  const binding = env[BINDINGS[namespace as keyof typeof BINDINGS]] // hasOwn said so
  return binding.get(script, {}, { limits: { ...limitsOf(settings.plan) }, outbound: { outbound: { tenant, worker, allow: settings.outbound } } })
}
