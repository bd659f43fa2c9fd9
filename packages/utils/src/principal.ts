import type { BindingProps, Principal } from '@dot-do/worker-types'

/** Whether a binding's props name a principal; whatever else they hold is configuration, reviewed where it is written. */
export function isBindingProps(props: unknown): props is BindingProps {
  return typeof props === 'object' && props !== null && 'principal' in props && typeof props.principal === 'object' && props.principal !== null
}

/** Kinds of principals whose rights come with them; a Worker's come from its binding alone. */
const SPEAKABLE: ReadonlySet<unknown> = new Set(['key', 'user', 'workload', 'anonymous'])

/** Whether a value is a principal that others may speak for: a key, a person, a job or nobody, never a Worker. */
export function isSpeakable(value: unknown): value is Principal {
  if (typeof value !== 'object' || value === null) return false
  const { id, kind, tenant, permissions } = value as Record<string, unknown>
  return typeof id === 'string' && SPEAKABLE.has(kind) && typeof tenant === 'string' && Array.isArray(permissions)
}
