import { batch, database } from '@dot-do/worker-data/database'
import { commit } from '@dot-do/worker-data/ledger'
import type { Call } from '@dot-do/worker-kernel/call'
import { allows, generateId, pageOf, ServiceError } from '@dot-do/worker-utils'
import { and, desc, eq, isNull, sql } from 'drizzle-orm'
import { iso } from '../api-keys.ts'
import { appendAudit } from '../audit.ts'
import type { Env } from '../env.ts'
import type { Operations } from '../operations.ts'
import { foundStatement } from '../organisations/founding.ts'
import { hold, PLACE, placeOf, shownPlace, visiblePlace } from '../organisations/place.ts'
import { isReserved, slugOf } from '../organisations/slug.ts'
import { placeInList } from '@dot-do/worker-utils/place-in-list'
import { PLATFORM_TENANT } from '../roles.ts'
import { members, organisations, SCHEMA } from '../tables.ts'

export const createOrganisation: Operations['createOrganisation'] = async ({ name, slug = slugOf(name) }, call) => {
  const founder = founderOf(call)
  refuseSlug(slug)
  const createdAt = new Date().toISOString()
  const answer = { id: generateId('org'), slug, name, createdAt }
  const found = foundStatement(answer, { founder, providerOrganisation: null, isLimited: founder !== null })
  const member = { organisationId: answer.id, userId: founder ?? '', roles: ['admin'], permissions: [], source: 'founder' as const, since: createdAt }
  const audited = appendAudit(call, { action: 'auth.createOrganisation', subject: answer.id, tenant: slug, detail: { name, founder } }, createdAt)
  const statements = [found, ...(founder === null ? [] : [database(call).insert(members).values(member)]), audited]
  await commit(call, SCHEMA, { statements, answer })
  return answer
}

export const listOrganisations: Operations['listOrganisations'] = async ({ limit, cursor }, call) => {
  const found = await database(call)
    .select(PLACE)
    .from(organisations)
    .where(and(visible(call), isNull(organisations.deletedAt), cursor === undefined ? undefined : olderThan(cursor)))
    .orderBy(desc(organisations.createdAt), desc(organisations.id))
    .limit(limit + 1)
  const { items, nextCursor } = pageOf(found, limit, ({ createdAt, id }) => [iso(createdAt), id])
  return { items: items.map(shownPlace), nextCursor }
}

export const getOrganisation: Operations['getOrganisation'] = ({ id }, call) => visiblePlace(id, call)

export const updateOrganisation: Operations['updateOrganisation'] = async ({ id, name }, call) => {
  const place = await placeOf(id, call)
  const at = new Date().toISOString()
  const renamed = database(call).update(organisations).set({ name }).where(eq(organisations.id, place.id))
  const detail = { before: place.name, name }
  await batch(call, [hold(place), renamed, appendAudit(call, { action: 'auth.updateOrganisation', subject: place.id, tenant: place.slug, detail }, at)])
  return { ...place, name }
}

export const deleteOrganisation: Operations['deleteOrganisation'] = async ({ id }, call) => {
  const place = await placeOf(id, call)
  if (place.slug === PLATFORM_TENANT)
    throw new ServiceError('CONFLICT', "The platform's own organisation stays", { details: [{ path: 'id', message: 'stays' }] })
  const at = new Date().toISOString()
  const ended = { sql: 'select auth.end_organisation($1, $2::timestamptz)', params: [place.id, at] }
  const audited = appendAudit(call, { action: 'auth.deleteOrganisation', subject: place.id, tenant: place.slug, detail: { name: place.name } }, at)
  await batch(call, [hold(place), ended, audited])
  return place
}

/** People found organisations for themselves; whoever may everything founds them for others, without a member yet. */
function founderOf({ principal }: Call): string | null {
  if (principal.kind === 'user') return principal.id
  if (allows(principal.permissions, '*')) return null
  throw new ServiceError('FORBIDDEN', 'Only people found organisations: sign in')
}

function refuseSlug(slug: string): void {
  if (slug === '')
    throw new ServiceError('INVALID', 'No slug can be made from this name', { details: [{ path: 'slug', message: 'is to be told for this name' }] })
  if (isReserved(slug)) throw new ServiceError('CONFLICT', `The slug ${slug} is kept for the platform`, { details: [{ path: 'slug', message: 'is taken' }] })
}

function visible({ principal }: Call<Env>) {
  if (allows(principal.permissions, '*')) return undefined
  const mine = sql`exists (select from ${members} where ${members.organisationId} = ${organisations.id} and ${members.userId} = ${principal.id})`
  return sql`(${organisations.slug} = ${principal.tenant} or ${mine})`
}

function olderThan(cursor: string) {
  const [at, id] = placeInList(cursor)
  return sql`(${organisations.createdAt}, ${organisations.id}) < (${at}::timestamptz, ${id})`
}
