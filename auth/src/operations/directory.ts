import { batch, type Buildable } from '@dot-do/worker-data/database'
import type { Call } from '@dot-do/worker-kernel/call'
import { appendAudit } from '../audit.ts'
import type { Env } from '../env.ts'
import type { Operations } from '../operations.ts'
import { readDirectoryEvent, type DirectoryEvent } from '../organisations/directory-event.ts'
import { refuseBeyond } from '../organisations/giving.ts'
import { permissionsOfRole } from '../organisations/own-roles.ts'
import { hold, placeOf } from '../organisations/place.ts'

export const linkDirectory: Operations['linkDirectory'] = async ({ id, directory, providerOrganisation, groupRoles, defaultRole }, call) => {
  const place = await placeOf(id, call)
  const named = [...Object.entries(groupRoles).map(([group, role]) => ({ role, path: `groupRoles.${group}` })), { role: defaultRole, path: 'defaultRole' }]
  for (const { role, path } of named) {
    const permissions = await permissionsOfRole(role, { tenant: place.slug, path }, call)
    refuseBeyond({ permissions, tenant: place.slug, path }, call)
  }
  const detail = { directory, providerOrganisation: providerOrganisation ?? null, groupRoles, defaultRole }
  const audited = appendAudit(call, { action: 'auth.linkDirectory', subject: place.id, tenant: place.slug, detail }, new Date().toISOString())
  const linked: Buildable = {
    sql: `select auth.link_directory(row($1::text, $2::text, $3::jsonb, $4::text, null, null, null)::auth.directories, $5::text, ${askedAt(6)})`,
    params: [directory, place.id, JSON.stringify(groupRoles), defaultRole, providerOrganisation ?? null, ...asked(call)],
  }
  await batch(call, [linked, hold(place), audited])
  return { organisation: place.id, directory }
}

export const applyDirectoryEvent: Operations['applyDirectoryEvent'] = async ({ id, event, createdAt, data }, call) => {
  const said = readDirectoryEvent(event, data)
  const [result] = await batch(call, [apply(said, { id, createdAt }, call)])
  const [applied, reason] = result?.rows[0] ?? []
  return { applied: applied === true || applied === 't', reason: String(reason) }
}

/** SQL decides what an event changes: it alone sees what others apply at the same time. */
function apply(
  { directory, person, group, isMember, isEnded }: DirectoryEvent,
  { id, createdAt }: { id: string; createdAt: string },
  call: Call<Env>,
): Buildable {
  const json = (value: object | undefined) => (value === undefined ? null : JSON.stringify(value))
  return {
    sql: `select applied, reason from auth.apply_directory_event(
      row($1::text, $2::text, $3::timestamptz, $4::jsonb, $5::jsonb, $6::boolean, $7::boolean)::auth.directory_event, ${askedAt(8)})`,
    params: [directory, id, createdAt, json(person), json(group), isMember ?? null, isEnded ?? null, ...asked(call)],
  }
}

/** By whose authority, in which request, and when; its first parameter is the nth. */
const askedAt = (first: number): string => `row($${first}::text, $${first + 1}::text, $${first + 2}::timestamptz)::auth.asked`

function asked({ principal, requestId }: Call<Env>): string[] {
  return [principal.id, requestId, new Date().toISOString()]
}
