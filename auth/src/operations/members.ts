import { batch, database, type Buildable } from '@dot-do/worker-data/database'
import type { Call } from '@dot-do/worker-kernel/call'
import { pageOf } from '@dot-do/worker-utils'
import { and, asc, eq, sql } from 'drizzle-orm'
import { appendAudit } from '../audit.ts'
import type { Env } from '../env.ts'
import type { Operations } from '../operations.ts'
import { refuseBeyond } from '../organisations/giving.ts'
import { MEMBER, memberOf, shownMember, type ShownMember } from '../organisations/members.ts'
import { permissionsOfRole } from '../organisations/own-roles.ts'
import { hold, isMember, placeOf, spareLastAdmin, type Place } from '../organisations/place.ts'
import { placeInList } from '@dot-do/worker-utils/place-in-list'
import { endSessionsOf } from '../sessions/ending.ts'
import { refuseTokens } from '../sessions/revocations.ts'
import { members, users } from '../tables.ts'

export const listMembers: Operations['listMembers'] = async ({ limit, cursor, id, role }, call) => {
  const place = await placeOf(id, call)
  const wanted = and(
    eq(members.organisationId, place.id),
    role === undefined ? undefined : sql`${role} = any (${members.roles})`,
    cursor === undefined ? undefined : youngerThan(cursor),
  )
  const found = await database(call)
    .select(MEMBER)
    .from(members)
    .innerJoin(users, eq(users.id, members.userId))
    .where(wanted)
    .orderBy(asc(members.since), asc(members.userId))
    .limit(limit + 1)
  const { items, nextCursor } = pageOf(found.map(shownMember), limit, ({ since, user }) => [since, user.id])
  return { items, nextCursor }
}

export const removeMember: Operations['removeMember'] = async ({ id, user }, call) => {
  const place = await placeOf(id, call)
  const member = await memberOf(place, user, call)
  const at = new Date()
  const removed = database(call).delete(members).where(isMember(place.id, user))
  const ended = [refuseTokens(user, at), ...endSessionsOf({ user, organisation: place.id }, call, at)]
  const audited = audit('removeMember', { call, place, member, at, detail: { roles: member.roles, permissions: member.permissions } })
  await batch(call, [hold(place), spareLastAdmin(place, user), removed, ...ended, audited])
  return member
}

export const assignRole: Operations['assignRole'] = async ({ user, organisation, role }, call) => {
  const place = await placeOf(organisation, call)
  const permissions = await permissionsOfRole(role, { tenant: place.slug, path: 'role' }, call)
  refuseBeyond({ permissions, tenant: place.slug, path: 'role' }, call)
  const roles = sql`array_append(array_remove(${members.roles}, ${role}), ${role})`
  return change('assignRole', { place, user, set: { roles }, detail: { role } }, call)
}

export const unassignRole: Operations['unassignRole'] = async ({ user, organisation, role }, call) => {
  const place = await placeOf(organisation, call)
  const before = role === 'admin' ? [spareLastAdmin(place, user)] : []
  const roles = sql`array_remove(${members.roles}, ${role})`
  return change('unassignRole', { place, user, set: { roles }, detail: { role }, before, takes: true }, call)
}

export const grantPermission: Operations['grantPermission'] = async ({ user, organisation, permission }, call) => {
  const place = await placeOf(organisation, call)
  refuseBeyond({ permissions: [permission], tenant: place.slug, path: 'permission' }, call)
  const permissions = sql`array_append(array_remove(${members.permissions}, ${permission}), ${permission})`
  return change('grantPermission', { place, user, set: { permissions }, detail: { permission } }, call)
}

export const revokePermission: Operations['revokePermission'] = async ({ user, organisation, permission }, call) => {
  const place = await placeOf(organisation, call)
  const permissions = sql`array_remove(${members.permissions}, ${permission})`
  return change('revokePermission', { place, user, set: { permissions }, detail: { permission }, takes: true }, call)
}

interface Change {
  place: Place
  user: string
  set: Partial<Record<'roles' | 'permissions', ReturnType<typeof sql>>>
  detail: Record<string, unknown>
  /** What must hold before. */
  before?: Buildable[]
  /** Whether the member may do less by it. */
  takes?: boolean
}

/** Changes what a member has, and answers what the member has then. */
async function change(operation: string, { place, user, set, detail, before = [], takes = false }: Change, call: Call<Env>): Promise<ShownMember> {
  const member = await memberOf(place, user, call)
  const at = new Date()
  const changed = database(call).update(members).set(set).where(isMember(place.id, user))
  const audited = audit(operation, { call, place, member, at, detail })
  await batch(call, [hold(place), ...before, changed, ...(takes ? [refuseTokens(user, at)] : []), audited])
  return memberOf(place, user, call)
}

interface Audited {
  call: Call<Env>
  place: Place
  member: ShownMember
  at: Date
  detail: Record<string, unknown>
}

function audit(operation: string, { call, place, member, at, detail }: Audited): Buildable {
  return appendAudit(call, { action: `auth.${operation}`, subject: member.user.id, tenant: place.slug, detail }, at.toISOString())
}

function youngerThan(cursor: string) {
  const [since, user] = placeInList(cursor)
  return sql`(${members.since}, ${members.userId}) > (${since}::timestamptz, ${user})`
}
