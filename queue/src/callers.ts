import type { JobTarget } from '@dot-do/worker-contracts/job-types'
import { onward, type Call } from '@dot-do/worker-kernel/call'
import type { Principal } from '@dot-do/worker-types'
import { allows, ServiceError } from '@dot-do/worker-utils'
import { FreshCache } from '@dot-do/worker-utils/fresh-cache'
import type { Env } from './env.ts'
import type { JobRow } from './job-row.ts'

type Resolved = Awaited<ReturnType<Env['AUTH_SERVICE']['resolvePrincipal']>>

/** Who was resolved a moment ago is the same still: as long as a key that is revoked lives anywhere. */
const resolved = new FreshCache<Resolved>({ freshMs: 5_000, staleMs: 5_000, maxEntries: 1_000 })

/** Why a job's principal may do nothing any more. */
const GONE: Record<NonNullable<Resolved['reason']>, string> = {
  unknown: 'is not known any more',
  revoked: 'was revoked',
  expired: 'expired',
  disabled: 'was disabled',
  no_member: 'is no member any more',
}

/**
 * With whose authority a job runs now; FORBIDDEN where nobody's is left. A service's jobs run with what the configuration grants it. A key that was rotated is the
 * same asker still, so that what it did once under its old id is not done again.
 */
export async function callerOf(
  { principalId: id, principalKind: kind, principalTenant: tenant }: JobRow,
  target: JobTarget,
  call: Call<Env>,
): Promise<Principal> {
  if (kind === 'service') return servicePrincipal({ id, tenant }, target, call.env)
  const ask = () => call.env.AUTH_SERVICE.resolvePrincipal({ id, tenant }, onward(call))
  const { principal, reason } = await resolved.get(`${tenant} ${id}`, ask, call.waitUntil)
  if (!principal) throw new ServiceError('FORBIDDEN', `Who enqueued the job ${GONE[reason ?? 'unknown']}`)
  return { ...principal, id }
}

/** The authority of a job that a service enqueued in its own name. */
export function servicePrincipal(
  { id, tenant }: { id: string; tenant: string },
  { operation, type }: JobTarget,
  env: Pick<Env, 'SERVICE_PERMISSIONS'>,
): Principal {
  const permissions = Object.hasOwn(env.SERVICE_PERMISSIONS, id) ? (env.SERVICE_PERMISSIONS[id] ?? []) : []
  if (!allows(permissions, operation.permission)) throw new ServiceError('FORBIDDEN', `${id} has no ${type} done in its own name`)
  return { id, kind: 'service', tenant, permissions }
}
