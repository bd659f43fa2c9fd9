import type { BindingProps, Principal } from '@dot-do/worker-types'
import { allows, intersect, ServiceError } from '@dot-do/worker-utils'

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
export function isAllowed(principal: Principal, permission: string): boolean {
  if (permission === 'public') return true
  if (principal.kind === 'anonymous') return false
  return permission === 'authenticated' || allows(principal.permissions, permission)
}

/** Refuses whoever lacks a permission: UNAUTHENTICATED if they are nobody, FORBIDDEN if they are somebody. Methods and routes written by hand begin with it. */
export function demand(principal: Principal, permission: string): void {
  if (isAllowed(principal, permission)) return
  if (principal.kind === 'anonymous') throw new ServiceError('UNAUTHENTICATED', 'Send an API key as "Authorization: Bearer sk_…"')
  throw new ServiceError('FORBIDDEN', `This needs the permission ${permission}`)
}

function servicePrincipal({ principal }: BindingProps): Principal {
  return { id: principal.id, kind: 'service', tenant: principal.tenant ?? 'default', permissions: principal.permissions }
}

function isBindingProps(props: unknown): props is BindingProps {
  return typeof props === 'object' && props !== null && 'principal' in props && typeof props.principal === 'object' && props.principal !== null
}

function isSpeakable(value: unknown): value is Principal {
  if (typeof value !== 'object' || value === null) return false
  const { id, kind, tenant, permissions } = value as Record<string, unknown>
  return typeof id === 'string' && (kind === 'key' || kind === 'user' || kind === 'anonymous') && typeof tenant === 'string' && Array.isArray(permissions)
}
