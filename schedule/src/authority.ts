import { isAllowed } from '@dot-do/worker-kernel/identity'
import { onward, type Call } from '@dot-do/worker-kernel/call'
import type { Principal } from '@dot-do/worker-types'
import { ServiceError } from '@dot-do/worker-utils'
import type { Env } from './env.ts'
import type { TaskRow } from './tables.ts'

/** Whose authority something has, as rows keep it. */
export interface Authority {
  id: string
  kind: TaskRow['principalKind']
  tenant: string
}

const REASONS = {
  unknown: 'is not there',
  revoked: 'was revoked',
  expired: 'has expired',
  disabled: 'is disabled',
  no_member: 'is no member any more',
} as const

/** Who a task asked by somebody runs as. */
export function authorityOf({ id, kind, tenant }: Principal): Authority {
  if (kind === 'anonymous') throw new ServiceError('FORBIDDEN', 'Nobody has no tasks')
  return { id, kind, tenant }
}

/** What a principal may do now. A Worker has what its bindings give it, so it needs no looking up: undefined. FORBIDDEN, with the reason, for whoever is gone. */
export async function resolveAuthority({ id, kind, tenant }: Authority, call: Call<Env>): Promise<Principal | undefined> {
  if (kind === 'service') return undefined
  const { principal, reason = 'unknown' } = await call.env.AUTH_SERVICE.resolvePrincipal({ id, tenant }, onward(call))
  if (!principal) throw new ServiceError('FORBIDDEN', `${id}, whose task this is, ${REASONS[reason]}`)
  if (!isAllowed(principal, 'tasks:write')) throw new ServiceError('FORBIDDEN', `${id}, whose task this is, may have no tasks any more`)
  return principal
}
