import type { Call } from '@dot-do/worker-kernel/call'
import { allows, ServiceError } from '@dot-do/worker-utils'

/** Whose workers a command is about. FORBIDDEN where they are not the asker's and the asker may not everything. */
export function tenantFor(asked: string | undefined, { principal }: Call): string {
  if (mayReach(asked, principal)) return asked ?? principal.tenant
  throw new ServiceError('FORBIDDEN', `Workers of ${asked} are not yours to change`, { details: [{ path: 'tenant', message: 'is not yours' }] })
}

/** Whose workers a query is about. NOT_FOUND where they are not the asker's, as if there were none. */
export function tenantOf(asked: string | undefined, { principal }: Call): string {
  if (mayReach(asked, principal)) return asked ?? principal.tenant
  throw new ServiceError('NOT_FOUND', `No tenant ${asked}`, { details: [{ path: 'tenant', message: 'is not there' }] })
}

function mayReach(asked: string | undefined, principal: Call['principal']): boolean {
  return asked === undefined || asked === principal.tenant || allows(principal.permissions, '*')
}
