/** What sort of asker a principal is: a Worker by its binding, an API key, a signed-in person, a job elsewhere that proved itself, or nobody. */
export type PrincipalKind = 'service' | 'key' | 'user' | 'workload' | 'anonymous'

/** Who asks, once checked. Only a binding's props or the auth service make one. */
export interface Principal {
  /** `auth` (a service, by its folder's name), `key_…`, `user_…`, `trust_…`, or `anonymous`. */
  id: string
  kind: PrincipalKind
  /** The namespace it lives in; `default` is the platform's own. */
  tenant: string
  /** `noun:verb`, either part or the whole may be `*`, narrowed by `@service/environment/tenant`. */
  permissions: string[]
  /** Requests a minute; the route class decides where it is absent. */
  limitPerMinute?: number | undefined
  /** The session it signed in by, `sess_…`; people alone have one. */
  session?: string | undefined
}

/** What one Worker's configuration says of a binding it holds; code cannot forge it. */
export interface BindingProps {
  /** The Worker that binds, and what it may do in its own name. */
  principal: { id: string; permissions: string[]; tenant?: string }
  /** Present where the Worker may speak for others: the most that such a call may do. */
  delegate?: { permissions: string[] }
}
