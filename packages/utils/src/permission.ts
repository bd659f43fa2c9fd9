import { permissionPattern } from '@dot-do/worker-schemas/patterns'

/** Service, environment, tenant; `*` where a permission is not narrowed. */
export type Scope = readonly [service: string, environment: string, tenant: string]

/** A permission taken apart. Every part is a name or `*`. */
export interface Permission {
  noun: string
  verb: string
  scope: Scope
}

/** What a call is about, where its permission may be narrowed. */
export interface PermissionResource {
  service?: string | undefined
  environment?: string | undefined
  tenant?: string | undefined
}

/** What a permission looks like, for schemas and documents. */
export const permissionSchemaPattern = permissionPattern

/** Takes a permission apart; `deploy` reads as `deployments:create`, `*` as `*:*`. Undefined for anything that is not a permission. */
export function parsePermission(text: string): Permission | undefined {
  const match = permissionPattern.exec(text)
  if (!match) return undefined
  const whole = text.startsWith('*') ? ['*', '*'] : ['deployments', 'create']
  return { noun: match[1] ?? whole[0] ?? '*', verb: match[2] ?? whole[1] ?? '*', scope: [match[3] ?? '*', match[4] ?? '*', match[5] ?? '*'] }
}

/**
 * Whether the grants allow a call. A grant narrowed to `@db/production` allows only what names that resource: a call that names none is refused by it,
 * and so is one whose resource contradicts the scope in `needed`. A grant or need that is not a permission allows nothing.
 */
export function allows(granted: readonly string[], needed: string, resource: PermissionResource = {}): boolean {
  const permission = parsePermission(needed)
  if (!permission) return false
  const need = narrowed(permission, resource)
  if (!need) return false
  if (granted.includes('*') || granted.includes(needed)) return true
  return granted.some((grant) => includes(parsePermission(grant), need))
}

/** Whether some grant, however narrowed, is about this: what to ask before it is known what a call is about. */
export function allowsSomewhere(granted: readonly string[], needed: string): boolean {
  const need = parsePermission(needed)
  return need !== undefined && granted.some((grant) => reachesVerb(parsePermission(grant), need))
}

/** Whether someone with `granted` may hand out all of `requested`: whatever those allow, `granted` allows too. */
export function covers(granted: readonly string[], requested: readonly string[]): boolean {
  return requested.every((permission) => allows(granted, permission))
}

/** The permissions that allow exactly what both sides allow. */
export function intersect(a: readonly string[], b: readonly string[]): string[] {
  if (a.includes('*')) return [...b]
  if (b.includes('*')) return [...a]
  const others = b.flatMap((text) => parsePermission(text) ?? [])
  const both = a.flatMap((text) => {
    const one = parsePermission(text)
    return one ? others.flatMap((other) => meet(one, other) ?? []) : []
  })
  return [...new Set(both.map(formatPermission))]
}

/** A permission narrowed to what a call is about, as people read it: `deployments:create@hello/production/acme`. */
export function narrowPermission(text: string, resource: PermissionResource): string {
  const permission = parsePermission(text)
  const narrow = permission && narrowed(permission, resource)
  return narrow ? formatPermission(narrow) : text
}

/** Writes a permission in its shortest form: `*` for `*:*`, no trailing `*` in the scope. */
export function formatPermission({ noun, verb, scope }: Permission): string {
  const name = noun === '*' && verb === '*' ? '*' : `${noun}:${verb}`
  const narrowed = scope.join('/').replace(/(?:(?:^|\/)\*)+$/, '')
  return narrowed === '' ? name : `${name}@${narrowed}`
}

function includes(grant: Permission | undefined, need: Permission): boolean {
  if (!grant || !reachesVerb(grant, need)) return false
  const [service, environment, tenant] = grant.scope
  return reaches(service, need.scope[0]) && reaches(environment, need.scope[1]) && reaches(tenant, need.scope[2])
}

function reachesVerb(grant: Permission | undefined, need: Permission): boolean {
  return grant !== undefined && reaches(grant.noun, need.noun) && reaches(grant.verb, need.verb)
}

function reaches(granted: string, needed: string): boolean {
  return granted === '*' || granted === needed
}

function narrowed(permission: Permission, { service = '*', environment = '*', tenant = '*' }: PermissionResource): Permission | undefined {
  return meet(permission, { noun: '*', verb: '*', scope: [service, environment, tenant] })
}

function meet(a: Permission, b: Permission): Permission | undefined {
  const noun = meetOf(a.noun, b.noun)
  const verb = meetOf(a.verb, b.verb)
  const service = meetOf(a.scope[0], b.scope[0])
  const environment = meetOf(a.scope[1], b.scope[1])
  const tenant = meetOf(a.scope[2], b.scope[2])
  if (noun === undefined || verb === undefined || service === undefined || environment === undefined || tenant === undefined) return undefined
  return { noun, verb, scope: [service, environment, tenant] }
}

function meetOf(a: string, b: string): string | undefined {
  if (a === '*') return b
  return b === '*' || a === b ? a : undefined
}
