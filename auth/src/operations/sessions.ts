import { batch, database } from '@dot-do/worker-data/database'
import type { Call } from '@dot-do/worker-kernel/call'
import { allows, pageOf, ServiceError } from '@dot-do/worker-utils'
import { and, count, desc, eq, getTableColumns, gt, isNull, sql } from 'drizzle-orm'
import { iso } from '../api-keys.ts'
import { appendAudit } from '../audit.ts'
import type { Env } from '../env.ts'
import type { Operations } from '../operations.ts'
import { placeInList } from '@dot-do/worker-utils/place-in-list'
import { endSession, endSessionsOf } from '../sessions/ending.ts'
import { refuseTokens, refuseTokensOfSessions } from '../sessions/revocations.ts'
import { shownSession, shownUser, type SessionRow } from '../sessions/shown.ts'
import { organisations, sessions, users } from '../tables.ts'

export const listSessions: Operations['listSessions'] = async ({ limit, cursor, user, includeRevoked }, call) => {
  const { principal } = call
  const whose = user ?? principal.id
  if (whose !== principal.id && !allows(principal.permissions, 'sessions:read')) throw new ServiceError('FORBIDDEN', 'This needs the permission sessions:read')
  const inForce = includeRevoked ? undefined : and(isNull(sessions.revokedAt), gt(sessions.expiresAt, new Date().toISOString()))
  const found = await selectSessions(call)
    .where(and(eq(sessions.userId, whose), within(call, whose), inForce, cursor === undefined ? undefined : usedBefore(cursor)))
    .orderBy(desc(sessions.lastUsedAt), desc(sessions.id))
    .limit(limit + 1)
  const { items, nextCursor } = pageOf(found, limit, ({ lastUsedAt, id }) => [iso(lastUsedAt), id])
  return { items: items.map(({ tenant: _tenant, ...session }) => shownSession(session, principal.session)), nextCursor }
}

export const revokeSession: Operations['revokeSession'] = async ({ id, strict }, call) => {
  const { tenant, ...session } = await find(id, call)
  const at = new Date()
  const isEnded = session.revokedAt !== null
  const revoked = isEnded ? session : { ...session, revokedAt: at.toISOString() }
  if (!isEnded || strict) {
    const detail = { user: session.userId, strict }
    const audited = appendAudit(call, { action: 'auth.revokeSession', subject: id, tenant, detail }, at.toISOString())
    await batch(call, [endSession(id, call, at), ...(strict ? [refuseTokens(id, at)] : []), audited])
  }
  return shownSession(revoked, call.principal.session)
}

export const logout: Operations['logout'] = async (_input, call) => {
  const { session, tenant } = call.principal
  if (session === undefined) throw new ServiceError('FORBIDDEN', 'Only who signed in can log out; a key is revoked')
  const at = new Date()
  const audited = appendAudit(call, { action: 'auth.logout', subject: session, tenant, detail: {} }, at.toISOString())
  await batch(call, [endSession(session, call, at), refuseTokens(session, at), audited])
  return { session }
}

export const logoutEverywhere: Operations['logoutEverywhere'] = async ({ user }, call) => {
  const { principal } = call
  if (user === undefined && principal.kind !== 'user')
    throw new ServiceError('INVALID', 'Say which user: you are none', { details: [{ path: 'user', message: 'is needed of whoever is no user' }] })
  const whose = user ?? principal.id
  const isOwn = whose === principal.id
  if (!isOwn && !allows(principal.permissions, 'sessions:write')) throw new ServiceError('FORBIDDEN', 'This needs the permission sessions:write')
  const at = new Date()
  // Who may not everything ends what concerns their own organisation, and leaves the user's other memberships alone.
  const organisation = isOwn || allows(principal.permissions, '*') ? undefined : await ownOrganisation(call)
  const inForce = and(eq(sessions.userId, whose), isNull(sessions.revokedAt), gt(sessions.expiresAt, at.toISOString()))
  const counted = database(call)
    .select({ ended: count() })
    .from(sessions)
    .where(and(inForce, organisation === undefined ? undefined : eq(sessions.organisationId, organisation)))
  const refused = organisation === undefined ? refuseTokens(whose, at) : refuseTokensOfSessions({ user: whose, organisation }, at)
  const audited = appendAudit(call, { action: 'auth.logoutEverywhere', subject: whose, tenant: principal.tenant, detail: {} }, at.toISOString())
  const [result] = await batch(call, [counted, refused, ...endSessionsOf({ user: whose, organisation }, call, at), audited])
  return { sessions: Number(result?.rows[0]?.[0]) }
}

export const getMe: Operations['getMe'] = async (_input, call) => {
  const { principal } = call
  const { id, slug, name, createdAt } = organisations
  const [[organisation], [user], [session]] = await Promise.all([
    database(call)
      .select({ id, slug, name, createdAt })
      .from(organisations)
      .where(and(eq(slug, principal.tenant), isNull(organisations.deletedAt))),
    principal.kind === 'user' ? database(call).select().from(users).where(eq(users.id, principal.id)) : [],
    principal.session === undefined ? [] : database(call).select().from(sessions).where(eq(sessions.id, principal.session)),
  ])
  return {
    principal,
    user: user ? shownUser(user) : null,
    organisation: organisation ? { ...organisation, createdAt: iso(organisation.createdAt) } : null,
    session: session ? shownSession(session, principal.session) : null,
  }
}

/** Sessions, each with the tenant that its user acts in. */
function selectSessions(call: Call<Env>) {
  return database(call)
    .select({ ...getTableColumns(sessions), tenant: organisations.slug })
    .from(sessions)
    .innerJoin(organisations, eq(organisations.id, sessions.organisationId))
}

/** One's own are all there; of others', those in one's own tenant, or all for whoever may everything. */
function within({ principal }: Call<Env>, whose: string) {
  return whose === principal.id || allows(principal.permissions, '*') ? undefined : eq(organisations.slug, principal.tenant)
}

/** One's own session, or one that one may end. What is neither is not there. */
async function find(id: string, call: Call<Env>): Promise<SessionRow & { tenant: string }> {
  const { principal } = call
  const [row] = await selectSessions(call).where(eq(sessions.id, id))
  const may =
    row &&
    (row.userId === principal.id || allows(principal.permissions, '*') || (row.tenant === principal.tenant && allows(principal.permissions, 'sessions:write')))
  if (!may) throw new ServiceError('NOT_FOUND', `No session ${id}`)
  return row
}

async function ownOrganisation(call: Call<Env>): Promise<string> {
  const [row] = await database(call).select({ id: organisations.id }).from(organisations).where(eq(organisations.slug, call.principal.tenant))
  if (!row) throw new ServiceError('NOT_FOUND', `No organisation ${call.principal.tenant}`)
  return row.id
}

function usedBefore(cursor: string) {
  const [at, id] = placeInList(cursor)
  return sql`(${sessions.lastUsedAt}, ${sessions.id}) < (${at}::timestamptz, ${id})`
}
