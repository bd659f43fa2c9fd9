import { batch, database } from '@dot-do/worker-data/database'
import type { Call } from '@dot-do/worker-kernel/call'
import { pageOf, ServiceError } from '@dot-do/worker-utils'
import { and, desc, eq, sql } from 'drizzle-orm'
import { iso } from '../api-keys.ts'
import { appendAudit } from '../audit.ts'
import type { Env } from '../env.ts'
import type { Operations } from '../operations.ts'
import { placeInList } from '@dot-do/worker-utils/place-in-list'
import { PLATFORM_TENANT } from '../roles.ts'
import { endSessionsOf } from '../sessions/ending.ts'
import { refuseTokens } from '../sessions/revocations.ts'
import { shownUser, type UserRow } from '../sessions/shown.ts'
import { users } from '../tables.ts'

export const listUsers: Operations['listUsers'] = async ({ limit, cursor, email }, call) => {
  const wanted = and(email === undefined ? undefined : eq(users.email, email.toLowerCase()), cursor === undefined ? undefined : olderThan(cursor))
  const found = await database(call)
    .select()
    .from(users)
    .where(wanted)
    .orderBy(desc(users.createdAt), desc(users.id))
    .limit(limit + 1)
  const { items, nextCursor } = pageOf(found, limit, ({ createdAt, id }) => [iso(createdAt), id])
  return { items: items.map(shownUser), nextCursor }
}

export const disableUser: Operations['disableUser'] = async ({ id }, call) => {
  const user = await find(id, call)
  if (user.disabledAt !== null) return shownUser(user)
  const at = new Date()
  const disabledAt = at.toISOString()
  const ended = [...endSessionsOf({ user: id }, call, at), refuseTokens(id, at)]
  await batch(call, [database(call).update(users).set({ disabledAt }).where(eq(users.id, id)), ...ended, audited('auth.disableUser', id, { call, at })])
  return shownUser({ ...user, disabledAt })
}

export const enableUser: Operations['enableUser'] = async ({ id }, call) => {
  const user = await find(id, call)
  if (user.disabledAt === null) return shownUser(user)
  await batch(call, [database(call).update(users).set({ disabledAt: null }).where(eq(users.id, id)), audited('auth.enableUser', id, { call, at: new Date() })])
  return shownUser({ ...user, disabledAt: null })
}

function audited(action: string, subject: string, { call, at }: { call: Call<Env>; at: Date }) {
  return appendAudit(call, { action, subject, tenant: PLATFORM_TENANT, detail: {} }, at.toISOString())
}

async function find(id: string, call: Call<Env>): Promise<UserRow> {
  const [row] = await database(call).select().from(users).where(eq(users.id, id))
  if (!row) throw new ServiceError('NOT_FOUND', `No user ${id}`)
  return row
}

function olderThan(cursor: string) {
  const [at, id] = placeInList(cursor)
  return sql`(${users.createdAt}, ${users.id}) < (${at}::timestamptz, ${id})`
}
