import { database } from '@dot-do/worker-data/database'
import type { Buildable } from '@dot-do/worker-data/database'
import type { Call } from '@dot-do/worker-kernel/call'
import { allows, ServiceError } from '@dot-do/worker-utils'
import { and, eq, isNull, or, sql } from 'drizzle-orm'
import { iso } from '../api-keys.ts'
import type { Env } from '../env.ts'
import { members, organisations } from '../tables.ts'

/** An organisation that has not ended. */
export interface Place {
  id: string
  slug: string
  name: string
  createdAt: string
}

/** The columns that make a Place. */
export const PLACE = { id: organisations.id, slug: organisations.slug, name: organisations.name, createdAt: organisations.createdAt }

/** An organisation as it is shown. */
export function shownPlace({ id, slug, name, createdAt }: Place): Place {
  return { id, slug, name, createdAt: iso(createdAt) }
}

/** The organisation that is meant: by id or slug, the asker's own unless told. Another than one's own needs `*`, or is not there. */
export async function placeOf(named: string | undefined, call: Call<Env>): Promise<Place> {
  const { tenant, permissions } = call.principal
  const place = await find(named ?? tenant, call)
  if (place && (place.slug === tenant || allows(permissions, '*'))) return place
  throw noPlace(named ?? tenant)
}

/** The same for what members may see of each organisation of theirs, whichever they act in. */
export async function visiblePlace(named: string, call: Call<Env>): Promise<Place> {
  const { id: userId, tenant, permissions } = call.principal
  const place = await find(named, call)
  if (place && (place.slug === tenant || allows(permissions, '*'))) return place
  const [member] = place ? await database(call).select({ id: members.userId }).from(members).where(isMember(place.id, userId)) : []
  if (place && member) return place
  throw noPlace(named)
}

/** Whose membership a row is. */
export function isMember(organisationId: string, userId: string) {
  return and(eq(members.organisationId, organisationId), eq(members.userId, userId))
}

/** The statement that holds an organisation until the batch ends; it comes first in whatever changes members, so that such batches wait for each other. */
export function hold(place: Place): Buildable {
  return { sql: 'select auth.hold_organisation($1)', params: [place.id] }
}

/** The statement that refuses the batch if this member is the last admin. */
export function spareLastAdmin(place: Place, userId: string): Buildable {
  return { sql: 'select auth.spare_last_admin($1, $2)', params: [place.id, userId] }
}

async function find(named: string, call: Call<Env>): Promise<Place | undefined> {
  const [row] = await database(call)
    .select(PLACE)
    .from(organisations)
    .where(and(or(eq(organisations.id, named), eq(organisations.slug, named)), isNull(organisations.deletedAt)))
    .orderBy(sql`${organisations.id} = ${named} desc`)
    .limit(1)
  return row && shownPlace(row)
}

function noPlace(named: string): ServiceError {
  return new ServiceError('NOT_FOUND', `No organisation ${named}`)
}
