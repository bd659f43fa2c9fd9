import type { Principal } from '@dot-do/worker-types'
import { allows } from './permission.ts'
import { ServiceError } from './service-error.ts'

/** The namespace that a call is about: the asker's own unless told. Another's is, for whoever lacks `*`, the same as not there. */
export function namespaceFor(principal: Principal, asked: string | undefined): string {
  if (asked === undefined || asked === principal.tenant) return principal.tenant
  if (allows(principal.permissions, '*')) return asked
  throw new ServiceError('NOT_FOUND', `No namespace ${asked}`, { details: [{ path: 'ns', message: 'is not there' }] })
}
