import type { Member } from '@dot-do/worker-contracts/identity'
import { database } from '@dot-do/worker-data/database'
import type { Call } from '@dot-do/worker-kernel/call'
import { ServiceError } from '@dot-do/worker-utils'
import { eq } from 'drizzle-orm'
import type * as z from 'zod'
import { iso } from '../api-keys.ts'
import type { Env } from '../env.ts'
import { members, users } from '../tables.ts'
import { isMember, type Place } from './place.ts'

/** A member as it is shown. */
export type ShownMember = z.input<typeof Member>

/** The columns of a member as it is shown. */
export const MEMBER = {
  organisation: members.organisationId,
  user: { id: users.id, email: users.email, name: users.name },
  roles: members.roles,
  permissions: members.permissions,
  source: members.source,
  since: members.since,
}

/** Puts a row into the wire's form. */
export function shownMember(row: ShownMember): ShownMember {
  return { ...row, since: iso(row.since) }
}

/** One member of an organisation. NOT_FOUND for anybody else. */
export async function memberOf(place: Place, userId: string, call: Call<Env>): Promise<ShownMember> {
  const member = await findMember(place, userId, call)
  if (member) return member
  throw new ServiceError('NOT_FOUND', `No member ${userId}`)
}

/** The same, where nobody being there is an answer. */
export async function findMember(place: Place, userId: string, call: Call<Env>): Promise<ShownMember | undefined> {
  const [row] = await database(call).select(MEMBER).from(members).innerJoin(users, eq(users.id, members.userId)).where(isMember(place.id, userId))
  return row && shownMember(row)
}
