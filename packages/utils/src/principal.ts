import type { BindingProps, Principal } from '@dot-do/worker-types'

/** Whether a binding's props name a principal; whatever else they hold is configuration, reviewed where it is written. */
export function isBindingProps(props: unknown): props is BindingProps {
  return typeof props === 'object' && props !== null && 'principal' in props && typeof props.principal === 'object' && props.principal !== null
}

/** Whether a value is a principal that others may speak for: a key, a person or nobody, never a Worker. */
export function isSpeakable(value: unknown): value is Principal {
  if (typeof value !== 'object' || value === null) return false
  const { id, kind, tenant, permissions } = value as Record<string, unknown>
  return typeof id === 'string' && (kind === 'key' || kind === 'user' || kind === 'anonymous') && typeof tenant === 'string' && Array.isArray(permissions)
}
