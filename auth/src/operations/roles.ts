import { batch, database } from '@dot-do/worker-data/database'
import { commit } from '@dot-do/worker-data/ledger'
import type { Call } from '@dot-do/worker-kernel/call'
import { covers, ServiceError } from '@dot-do/worker-utils'
import { and, eq } from 'drizzle-orm'
import { appendAudit } from '../audit.ts'
import type { Env } from '../env.ts'
import type { Operations } from '../operations.ts'
import { refuseBeyond } from '../organisations/giving.ts'
import { MOST_ROLES, ownRoles } from '../organisations/own-roles.ts'
import { hold, placeOf, type Place } from '../organisations/place.ts'
import { builtInRoles, isBuiltIn } from '../roles.ts'
import { roles, SCHEMA } from '../tables.ts'

export const listRoles: Operations['listRoles'] = async ({ organisation }, call) => {
  const tenant = await tenantOf(organisation, call)
  const builtIn = Object.entries(builtInRoles(tenant)).map(([name, permissions]) => ({ name, permissions: [...permissions], builtIn: true }))
  return { roles: [...builtIn, ...(await ownRoles(tenant, call)).map((role) => ({ ...role, builtIn: false }))] }
}

export const createRole: Operations['createRole'] = async ({ name, permissions }, call) => {
  const place = await placeOf(undefined, call)
  refuseBuiltIn(name)
  refuseBeyond({ permissions, tenant: place.slug, path: 'permissions', isList: true }, call)
  const known = await ownRoles(place.slug, call)
  if (known.some((role) => role.name === name)) throw taken(name)
  if (known.length >= MOST_ROLES) throw new ServiceError('CONFLICT', `An organisation has at most ${MOST_ROLES} roles of its own`)
  const at = new Date().toISOString()
  const answer = { name, permissions: [...new Set(permissions)], builtIn: false }
  const made = database(call).insert(roles).values({ organisationId: place.id, name, permissions: answer.permissions, createdAt: at })
  await commit(call, SCHEMA, { statements: [hold(place), made, audit('createRole', { place, name, detail: { permissions } }, call)], answer })
  return answer
}

export const updateRole: Operations['updateRole'] = async ({ name, permissions }, call) => {
  const { place, known } = await ownRole(name, call)
  refuseBeyond({ permissions, tenant: place.slug, path: 'permissions', isList: true }, call)
  const answer = { name, permissions: [...new Set(permissions)], builtIn: false }
  const changed = database(call).update(roles).set({ permissions: answer.permissions }).where(isRole(place, name))
  const narrows = !covers(permissions, known)
  const refused = { sql: 'select auth.refuse_tokens_of_role($1, $2, $3::timestamptz)', params: [place.id, name, new Date().toISOString()] }
  const audited = audit('updateRole', { place, name, detail: { before: known, permissions: answer.permissions } }, call)
  await batch(call, [hold(place), changed, ...(narrows ? [refused] : []), audited])
  return answer
}

export const deleteRole: Operations['deleteRole'] = async ({ name }, call) => {
  const { place, known } = await ownRole(name, call)
  const deleted = { sql: 'select auth.delete_role($1, $2, $3::timestamptz)', params: [place.id, name, new Date().toISOString()] }
  await batch(call, [hold(place), deleted, audit('deleteRole', { place, name, detail: { permissions: known } }, call)])
  return { name, permissions: known, builtIn: false }
}

/** Whose roles are listed: a tenant that has keys but no organisation has the built-in ones. */
async function tenantOf(organisation: string | undefined, call: Call<Env>): Promise<string> {
  const { tenant } = call.principal
  return organisation === undefined || organisation === tenant ? tenant : (await placeOf(organisation, call)).slug
}

async function ownRole(name: string, call: Call<Env>): Promise<{ place: Place; known: string[] }> {
  const place = await placeOf(undefined, call)
  refuseBuiltIn(name)
  const known = (await ownRoles(place.slug, call)).find((role) => role.name === name)
  if (!known) throw new ServiceError('NOT_FOUND', `No role ${name}`)
  return { place, known: known.permissions }
}

function isRole(place: Place, name: string) {
  return and(eq(roles.organisationId, place.id), eq(roles.name, name))
}

function audit(operation: string, { place, name, detail }: { place: Place; name: string; detail: Record<string, unknown> }, call: Call<Env>) {
  return appendAudit(call, { action: `auth.${operation}`, subject: name, tenant: place.slug, detail }, new Date().toISOString())
}

function refuseBuiltIn(name: string): void {
  if (isBuiltIn(name)) throw new ServiceError('CONFLICT', `The role ${name} is built in`, { details: [{ path: 'name', message: 'is built in' }] })
}

function taken(name: string): ServiceError {
  return new ServiceError('CONFLICT', `The role ${name} is there already`, { details: [{ path: 'name', message: 'is taken' }] })
}
