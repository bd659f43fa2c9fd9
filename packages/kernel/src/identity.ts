import type { AnyOperation } from '@dot-do/worker-contracts/contract'
import type { BindingProps, Principal } from '@dot-do/worker-types'
import { allows, allowsSomewhere, intersect, isBindingProps, isSpeakable, narrowPermission, ServiceError, type PermissionResource } from '@dot-do/worker-utils'

/** What a permission is asked for; `unknown` while the input that says so is not read yet: then any narrowing will do. */
export type Wanted = PermissionResource | 'unknown'

/** Who asks when nobody says: only `public` operations answer. */
export const ANONYMOUS: Principal = { id: 'anonymous', kind: 'anonymous', tenant: 'default', permissions: [] }

/** The principal a binding's props make, or the one it speaks for, within what the binding may delegate. Without props: anonymous. */
export function principalOf(props: unknown, onBehalfOf?: Principal): Principal {
  const binding = isBindingProps(props) ? props : undefined
  if (onBehalfOf === undefined) return binding ? servicePrincipal(binding) : ANONYMOUS
  if (!binding?.delegate) throw new ServiceError('FORBIDDEN', 'This binding may not speak for others')
  // A service's own rights come from its binding alone; a right to speak for people must not become a right to pose as a Worker.
  if (!isSpeakable(onBehalfOf)) throw new ServiceError('FORBIDDEN', 'A binding may speak for keys and people only')
  const most = binding.delegate.permissions
  return most.includes('*') ? onBehalfOf : { ...onBehalfOf, permissions: intersect(onBehalfOf.permissions, most) }
}

/** Whether a principal may do what needs this permission. Nobody may do more than what is public, whatever permissions it came with. */
export function isAllowed(principal: Principal, permission: string, wanted: Wanted = {}): boolean {
  if (permission === 'public') return true
  if (principal.kind === 'anonymous') return false
  if (permission === 'authenticated') return true
  return wanted === 'unknown' ? allowsSomewhere(principal.permissions, permission) : allows(principal.permissions, permission, wanted)
}

/** Refuses whoever lacks a permission: UNAUTHENTICATED if they are nobody, FORBIDDEN if they are somebody. Methods and routes written by hand begin with it. */
export function demand(principal: Principal, permission: string, wanted: Wanted = {}): void {
  if (isAllowed(principal, permission, wanted)) return
  if (principal.kind === 'anonymous') throw new ServiceError('UNAUTHENTICATED', 'Send an API key as "Authorization: Bearer sk_…"')
  throw new ServiceError('FORBIDDEN', `This needs the permission ${wanted === 'unknown' ? permission : narrowPermission(permission, wanted)}`)
}

/** What to demand of an operation before its input is read. */
export function beforeInput(operation: Pick<AnyOperation, 'resource'>): Wanted {
  return operation.resource ? 'unknown' : {}
}

function servicePrincipal({ principal }: BindingProps): Principal {
  return { id: principal.id, kind: 'service', tenant: principal.tenant ?? 'default', permissions: principal.permissions }
}
