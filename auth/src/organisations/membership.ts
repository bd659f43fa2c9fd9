import { database, type Buildable } from '@dot-do/worker-data/database'
import type { Call } from '@dot-do/worker-kernel/call'
import { generateId, ServiceError } from '@dot-do/worker-utils'
import { and, asc, eq, isNull, sql } from 'drizzle-orm'
import { iso } from '../api-keys.ts'
import { appendAudit } from '../audit.ts'
import type { Env } from '../env.ts'
import { members, organisations } from '../tables.ts'
import { effectivePermissions, ownPermissions } from './effective.ts'
import { founded } from './founding.ts'
import { personalSlug } from './slug.ts'

/** What a user is and may in one organisation. */
export interface Membership {
  organisation: { id: string; slug: string; name: string; createdAt: string }
  roles: string[]
  /** All of it: by the roles, built in or the organisation's own, and by grants. */
  permissions: string[]
}

/** A membership that is about to be: it holds once the statements are committed. */
export interface Joined {
  membership: Membership
  statements: Buildable[]
}

/** The most memberships that one user is shown. */
const MOST = 100

/** A user's memberships, the oldest first; organisations that have ended are left out. */
export async function membershipsOf(userId: string, call: Call<Env>): Promise<Membership[]> {
  const { id, slug, name, createdAt } = organisations
  const found = await database(call)
    .select({ id, slug, name, createdAt, roles: members.roles, granted: members.permissions, own: ownPermissions })
    .from(members)
    .innerJoin(organisations, eq(id, members.organisationId))
    .where(and(eq(members.userId, userId), isNull(organisations.deletedAt)))
    .orderBy(asc(members.since), asc(id))
    .limit(MOST)
  return found.map((row) => ({
    organisation: { id: row.id, slug: row.slug, name: row.name, createdAt: iso(row.createdAt) },
    roles: row.roles,
    permissions: effectivePermissions(row.slug, row),
  }))
}

/** An organisation of somebody's own, for a first sign-in: its slug is made from the name, with an ending nobody can guess or take. */
export function founding({ userId, name, slug = personalSlug(name) }: { userId: string; name: string; slug?: string }, at: Date): Joined {
  const organisation = { id: generateId('org'), slug, name: name.slice(0, 100) || slug, createdAt: at.toISOString() }
  return founded({ organisation, userId, source: 'founder' })
}

/**
 * The place of somebody who signed in under a provider's organisation: in the organisation that is bound to it, which is founded if there is none.
 * FORBIDDEN where a directory keeps the members and does not list that address.
 */
export async function joining(
  { providerOrganisation, userId, name }: { providerOrganisation: string; userId: string; name: string },
  call: Call<Env>,
  at: Date,
): Promise<Joined> {
  const [row] = await database(call).select(PLACE).from(organisations).where(eq(organisations.providerOrganisation, providerOrganisation))
  if (!row) {
    const organisation = { id: generateId('org'), slug: personalSlug(name), name: name.slice(0, 100), createdAt: at.toISOString() }
    return founded({ organisation, userId, source: 'provider', providerOrganisation })
  }
  const organisation = { id: row.id, slug: row.slug, name: row.name, createdAt: iso(row.createdAt) }
  const [known] = (await membershipsOf(userId, call)).filter((membership) => membership.organisation.id === row.id)
  if (known) return { membership: known, statements: [] }
  if (row.hasDirectory) throw new ServiceError('FORBIDDEN', `The directory of ${row.name} does not list you`)
  const roles = [row.hasAdmin ? 'user' : 'admin']
  const member = { organisationId: row.id, userId, roles, permissions: [], source: 'provider' as const, since: at.toISOString() }
  return {
    membership: { organisation, roles, permissions: effectivePermissions(row.slug, { roles, granted: [], own: [] }) },
    statements: [
      database(call).insert(members).values(member).onConflictDoNothing(),
      appendAudit(call, { actor: userId, action: 'auth.join', subject: userId, tenant: row.slug, detail: { roles, providerOrganisation } }, at.toISOString()),
    ],
  }
}

const PLACE = {
  id: organisations.id,
  slug: organisations.slug,
  name: organisations.name,
  createdAt: organisations.createdAt,
  hasAdmin: sql<boolean>`exists (select from auth.members m where m.organisation_id = ${organisations.id} and 'admin' = any (m.roles))`.mapWith(Boolean),
  hasDirectory: sql<boolean>`exists (select from auth.directories d where d.organisation_id = ${organisations.id} and d.ended_at is null)`.mapWith(Boolean),
}
