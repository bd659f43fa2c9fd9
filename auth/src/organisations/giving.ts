import type { Call } from '@dot-do/worker-kernel/call'
import { covers, ServiceError } from '@dot-do/worker-utils'
import { mostOf } from '../roles.ts'

/** Where the permissions that are given came from in the input. */
export interface Given {
  permissions: readonly string[]
  /** In which organisation, by its slug. */
  tenant: string
  /** The field that a refusal names; with `.0` and so on behind it for a list. */
  path: string
  isList?: boolean
}

/** Refuses to give what the asker lacks, and what no member of an organisation may have: what its own admin may not. */
export function refuseBeyond({ permissions, tenant, path, isList = false }: Given, { principal }: Call): void {
  for (const [index, permission] of permissions.entries()) {
    const place = isList ? `${path}.${index}` : path
    if (!covers(principal.permissions, [permission])) throw refused(`You cannot give what you lack: ${permission}`, place, permission)
    if (!covers(mostOf(tenant), [permission])) {
      throw refused(`${permission} reaches beyond the organisation ${tenant}, so nobody in it can have it`, place, permission)
    }
  }
}

function refused(message: string, path: string, permission: string): ServiceError {
  return new ServiceError('FORBIDDEN', message, { details: [{ path, message: `needs ${permission}` }] })
}
