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
  if (!isPrincipal(onBehalfOf) || onBehalfOf.kind === 'service') throw new ServiceError('FORBIDDEN', 'A binding may speak for keys and people only')
  const most = binding.delegate.permissions
  return most.includes('*') ? onBehalfOf : { ...onBehalfOf, permissions: intersect(onBehalfOf.permissions, most) }
}

/** Refuses whoever lacks a permission: UNAUTHENTICATED if they are nobody, FORBIDDEN if they are somebody. Methods and routes written by hand begin with it. */
export function demand(principal: Principal, permission: string): void {
  if (permission === 'public') return
  if (principal.kind === 'anonymous') throw new ServiceError('UNAUTHENTICATED', 'Send an API key as "Authorization: Bearer sk_…"')
  if (permission === 'authenticated' || allows(principal.permissions, permission)) return
  throw new ServiceError('FORBIDDEN', `This needs the permission ${permission}`)
}

function servicePrincipal({ principal }: BindingProps): Principal {
  return { id: principal.id, kind: 'service', tenant: principal.tenant ?? 'default', permissions: principal.permissions }
}

function isBindingProps(props: unknown): props is BindingProps {
  return typeof props === 'object' && props !== null && 'principal' in props && typeof props.principal === 'object'
}

function isPrincipal(value: unknown): value is Principal {
  if (typeof value !== 'object' || value === null) return false
  const { id, kind, tenant, permissions } = value as Record<string, unknown>
  return typeof id === 'string' && typeof kind === 'string' && typeof tenant === 'string' && Array.isArray(permissions)
}
