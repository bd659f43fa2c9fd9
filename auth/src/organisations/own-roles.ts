import { database } from '@dot-do/worker-data/database'
import type { Call } from '@dot-do/worker-kernel/call'
import { ServiceError } from '@dot-do/worker-utils'
import { and, asc, eq, isNull } from 'drizzle-orm'
import type { Env } from '../env.ts'
import { isBuiltIn, permissionsOf } from '../roles.ts'
import { organisations, roles } from '../tables.ts'

/** How many roles of its own an organisation has at most. */
export const MOST_ROLES = 100

/** An organisation's own roles, by name. */
export async function ownRoles(tenant: string, call: Call<Env>): Promise<{ name: string; permissions: string[] }[]> {
  return database(call)
    .select({ name: roles.name, permissions: roles.permissions })
    .from(roles)
    .innerJoin(organisations, eq(organisations.id, roles.organisationId))
    .where(and(eq(organisations.slug, tenant), isNull(organisations.deletedAt)))
    .orderBy(asc(roles.name))
    .limit(MOST_ROLES)
}

/** What a role permits in an organisation. INVALID, with the field that named it, for a role that there is not. */
export async function permissionsOfRole(role: string, { tenant, path }: { tenant: string; path: string }, call: Call<Env>): Promise<readonly string[]> {
  if (isBuiltIn(role)) return permissionsOf(role, tenant)
  const own = (await ownRoles(tenant, call)).find(({ name }) => name === role)
  if (own) return own.permissions
  throw new ServiceError('INVALID', `No role ${role}`, { details: [{ path, message: 'is no role of this organisation' }] })
}
