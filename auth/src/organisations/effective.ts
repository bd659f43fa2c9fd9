import { sql } from 'drizzle-orm'
import { permissionsOf } from '../roles.ts'
import { members } from '../tables.ts'

/** What a member has, as it is stored: names of roles, and what the organisation's own among them and the grants permit. */
export interface Held {
  roles: readonly string[]
  granted: readonly string[]
  own: readonly string[]
}

/** What the organisation's own roles of a member permit; a column for queries over `members`. */
export const ownPermissions = sql<string[]>`coalesce((select array_agg(distinct permission) from auth.roles role cross join unnest(role.permissions) permission
  where role.organisation_id = ${members.organisationId} and role.name = any (${members.roles})), '{}')`.mapWith(members.permissions)

/** All that a member may, each permission once. */
export function effectivePermissions(tenant: string, { roles, granted, own }: Held): string[] {
  const all = [...new Set([...roles.flatMap((role) => permissionsOf(role, tenant)), ...own, ...granted])]
  return all.includes('*') ? ['*'] : all
}
