/** The slug of the organisation that keeps the platform itself; its admins may everything. */
export const PLATFORM_TENANT = 'default'

/** What `admin` may in every organisation: whatever concerns one tenant, and is kept to the asker's tenant by the operation itself. */
export const TENANT_PERMISSIONS: readonly string[] = [
  'things:read',
  'things:write',
  'events:read',
  'events:write',
  'keys:read',
  'keys:write',
  'audit:read',
  'organisations:write',
  'organisations:delete',
  'members:read',
  'members:write',
  'roles:write',
  'sessions:read',
  'sessions:write',
  'workloads:read',
  'workloads:write',
  'jobs:read',
  'jobs:write',
  'tasks:read',
  'tasks:write',
  'generations:read',
  'generations:write',
]

/** What `admin` may in every organisation, narrowed to it: these reach whatever tenant a call names. */
export const NARROWED_PERMISSIONS: readonly string[] = [
  'deployments:create',
  'deployments:read',
  'deployments:delete',
  'secrets:read',
  'secrets:write',
  'domains:read',
  'domains:write',
]

const BUILT_IN: Readonly<Record<string, readonly string[]>> = {
  admin: ['*'],
  user: ['things:read', 'things:write', 'events:write', 'keys:read', 'jobs:read', 'jobs:write', 'tasks:read', 'tasks:write'],
  viewer: ['things:read', 'jobs:read', 'tasks:read'],
}

/** The roles every organisation has, with what they permit there. `*` reaches other tenants, so that only the platform's own organisation gives it. */
export function builtInRoles(tenant: string): Readonly<Record<string, readonly string[]>> {
  if (tenant === PLATFORM_TENANT) return BUILT_IN
  return { ...BUILT_IN, admin: [...TENANT_PERMISSIONS, ...NARROWED_PERMISSIONS.map((permission) => `${permission}@*/*/${tenant}`)] }
}

/** Whether every organisation has a role by this name. */
export function isBuiltIn(role: string): boolean {
  return Object.hasOwn(BUILT_IN, role)
}

/** A built-in role's permissions in an organisation; none for a role that is not built in. */
export function permissionsOf(role: string, tenant: string): readonly string[] {
  return isBuiltIn(role) ? (builtInRoles(tenant)[role] ?? []) : []
}

/** The most that a role, a grant or a trust of an organisation may permit: what its admin may. */
export function mostOf(tenant: string): readonly string[] {
  return permissionsOf('admin', tenant)
}
