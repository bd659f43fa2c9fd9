/** The built-in roles. A key made with a role gets the permissions the role has on that day. */
export const ROLES: Readonly<Record<string, readonly string[]>> = {
  admin: ['*'],
  user: ['things:read', 'things:write', 'events:write', 'keys:read'],
  viewer: ['things:read'],
}

/** A role's permissions; none for a role that there is not. */
export function permissionsOf(role: string | undefined): readonly string[] {
  return role === undefined ? [] : (ROLES[role] ?? [])
}
