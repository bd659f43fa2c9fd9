import type { Call } from '@dot-do/worker-kernel/call'
import { allows, ServiceError } from '@dot-do/worker-utils'

/** Keeps people to their own tenant: another one needs `*`, and is otherwise not there. A service speaks for whom its binding was reviewed to speak. */
export function ownTenant(tenant: string, { principal }: Pick<Call, 'principal'>): void {
  if (principal.kind === 'service' || tenant === principal.tenant || allows(principal.permissions, '*')) return
  throw new ServiceError('NOT_FOUND', `No tenant ${tenant}`, { details: [{ path: 'tenant', message: 'is not there' }] })
}
