import { demand } from '@dot-do/worker-kernel/identity'
import type { Principal } from '@dot-do/worker-types'
import { allows, ServiceError } from '@dot-do/worker-utils'
import type { Kept } from './slot.ts'

/** Refuses whoever may not call a version: UNAUTHENTICATED if they are nobody, FORBIDDEN if they are somebody else. A Worker is of no tenant here: those it speaks for are. */
export function refuseStranger(access: Kept['access'], tenant: string, principal: Principal): void {
  if (access === 'public' || allows(principal.permissions, '*')) return
  demand(principal, 'authenticated')
  if (access === 'tenant' && principal.kind !== 'service' && principal.tenant === tenant) return
  throw new ServiceError('FORBIDDEN', access === 'admin' ? 'This worker is for administrators' : 'This worker is for its own tenant')
}
