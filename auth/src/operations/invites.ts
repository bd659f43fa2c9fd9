import { batch, database } from '@dot-do/worker-data/database'
import { commit } from '@dot-do/worker-data/ledger'
import type { Call } from '@dot-do/worker-kernel/call'
import { generateId, pageOf, ServiceError } from '@dot-do/worker-utils'
import { and, desc, eq, isNull, sql } from 'drizzle-orm'
import { iso } from '../api-keys.ts'
import { appendAudit } from '../audit.ts'
import type { Env } from '../env.ts'
import type { Operations } from '../operations.ts'
import { refuseBeyond } from '../organisations/giving.ts'
import { hashInvite, inviteOf, inviteToken, sendInvite, shownInvite, waits, whyOver, type InviteRow } from '../organisations/invites.ts'
import { findMember, memberOf, type ShownMember } from '../organisations/members.ts'
import { permissionsOfRole } from '../organisations/own-roles.ts'
import { hold, placeOf, type Place } from '../organisations/place.ts'
import { placeInList } from '@dot-do/worker-utils/place-in-list'
import { invites, members, SCHEMA, users } from '../tables.ts'

const DAY_MS = 86_400_000

export const createInvite: Operations['createInvite'] = async ({ id, email: address, role, expiresInDays }, call) => {
  const place = await placeOf(id, call)
  const email = address.toLowerCase()
  const permissions = await permissionsOfRole(role, { tenant: place.slug, path: 'role' }, call)
  refuseBeyond({ permissions, tenant: place.slug, path: 'role' }, call)
  await refuseMember(email, place, call)
  const now = new Date()
  const token = inviteToken()
  const tokenHash = await hashInvite(token, call.env)
  const row = {
    id: generateId('inv'),
    organisationId: place.id,
    email,
    role,
    tokenHash,
    createdBy: call.principal.id,
    ...WAITING,
    ...times(now, expiresInDays),
  }
  const same = and(eq(invites.organisationId, place.id), eq(invites.email, email), waits(now))
  const replaced = database(call).update(invites).set({ revokedAt: now.toISOString() }).where(same)
  const answer = { ...shownInvite(row), token }
  const audited = audit('createInvite', { invite: row, place, detail: { email, role } }, call)
  await commit(call, SCHEMA, { statements: [hold(place), replaced, database(call).insert(invites).values(row), audited], answer })
  return { ...answer, sent: await sendInvite({ token, place, email, days: expiresInDays }, call) }
}

export const listInvites: Operations['listInvites'] = async ({ limit, cursor, id }, call) => {
  const place = await placeOf(id, call)
  const found = await database(call)
    .select()
    .from(invites)
    .where(and(eq(invites.organisationId, place.id), waits(new Date()), cursor === undefined ? undefined : olderThan(cursor)))
    .orderBy(desc(invites.createdAt), desc(invites.id))
    .limit(limit + 1)
  const { items, nextCursor } = pageOf(found, limit, ({ createdAt, id: last }) => [iso(createdAt), last])
  return { items: items.map(shownInvite), nextCursor }
}

export const revokeInvite: Operations['revokeInvite'] = async ({ id, invite }, call) => {
  const place = await placeOf(id, call)
  const [row] = await database(call)
    .select()
    .from(invites)
    .where(and(eq(invites.id, invite), eq(invites.organisationId, place.id)))
  if (!row) throw new ServiceError('NOT_FOUND', `No invite ${invite}`)
  if (row.acceptedAt !== null) throw over('invite', 'This invite was accepted already: remove the member instead')
  if (row.revokedAt !== null) return shownInvite(row)
  const revoked = database(call)
    .update(invites)
    .set({ revokedAt: new Date().toISOString() })
    .where(and(eq(invites.id, invite), isNull(invites.acceptedAt)))
  await batch(call, [hold(place), revoked, audit('revokeInvite', { invite: row, place, detail: {} }, call)])
  return shownInvite(row)
}

export const acceptInvite: Operations['acceptInvite'] = async ({ token }, call) => {
  if (call.principal.kind !== 'user') throw new ServiceError('FORBIDDEN', 'Only people accept invites: sign in')
  const user = call.principal.id
  const { invite, place } = await inviteOf(token, call)
  if (invite.email !== (await addressOf(user, call))) throw new ServiceError('FORBIDDEN', 'This invite is for another address than the one you signed in with')
  if (invite.acceptedBy === user) return again(place, user, call)
  const now = new Date()
  const reason = whyOver(invite, now)
  if (reason !== undefined) throw over('token', reason)
  const taken = { sql: 'select auth.take_invite($1, $2, $3::timestamptz)', params: [invite.id, user, now.toISOString()] }
  const member = { organisationId: place.id, userId: user, roles: [invite.role], permissions: [], source: 'invite' as const, since: now.toISOString() }
  const roles = sql`array_append(array_remove(${members.roles}, ${invite.role}), ${invite.role})`
  const joined = database(call)
    .insert(members)
    .values(member)
    .onConflictDoUpdate({ target: [members.organisationId, members.userId], set: { roles } })
  await batch(call, [hold(place), taken, joined, audit('acceptInvite', { invite, place, detail: { user, role: invite.role } }, call)])
  return memberOf(place, user, call)
}

const WAITING = { acceptedAt: null, acceptedBy: null, revokedAt: null }

function times(now: Date, days: number): Pick<InviteRow, 'createdAt' | 'expiresAt'> {
  return { createdAt: now.toISOString(), expiresAt: new Date(now.getTime() + days * DAY_MS).toISOString() }
}

/** An accepted invite, accepted again, is harmless; it does not bring back who was removed since. */
async function again(place: Place, user: string, call: Call<Env>): Promise<ShownMember> {
  const member = await findMember(place, user, call)
  if (!member) throw over('token', 'This invite was accepted already')
  return member
}

async function addressOf(user: string, call: Call<Env>): Promise<string | undefined> {
  const [row] = await database(call).select({ email: users.email }).from(users).where(eq(users.id, user))
  return row?.email
}

async function refuseMember(email: string, place: Place, call: Call<Env>): Promise<void> {
  const [row] = await database(call)
    .select({ id: users.id })
    .from(users)
    .innerJoin(members, eq(members.userId, users.id))
    .where(and(eq(users.email, email), eq(members.organisationId, place.id)))
  if (row) throw over('email', `${email} is a member already: assign the role instead`)
}

function audit(
  operation: string,
  { invite, place, detail }: { invite: Pick<InviteRow, 'id'>; place: Place; detail: Record<string, unknown> },
  call: Call<Env>,
) {
  return appendAudit(call, { action: `auth.${operation}`, subject: invite.id, tenant: place.slug, detail }, new Date().toISOString())
}

function over(path: string, message: string): ServiceError {
  return new ServiceError('CONFLICT', message, { details: [{ path, message }] })
}

function olderThan(cursor: string) {
  const [at, id] = placeInList(cursor)
  return sql`(${invites.createdAt}, ${invites.id}) < (${at}::timestamptz, ${id})`
}
