import type { Call } from '@dot-do/worker-kernel/call'
import { allows, ServiceError, type PermissionResource } from '@dot-do/worker-utils'
import type { Env } from '../env.ts'
import type { Operations } from '../operations.ts'
import { membershipsOf } from '../organisations/membership.ts'
import { ownRoles } from '../organisations/own-roles.ts'
import { permissionsOf } from '../roles.ts'

export const can: Operations['can'] = async ({ permission, resource, ...parts }, call) => {
  const { principal } = call
  const about = resource === undefined ? parts : resourceOf(resource, parts)
  const grant = principal.permissions.find((granted) => allows([granted], permission, about))
  if (grant === undefined) return { allowed: false, reason: `${principal.id} has no permission that covers ${permission}${where(about)}` }
  return { allowed: true, reason: `${principal.id} has ${grant}${principal.kind === 'user' ? await source(grant, call) : ''}` }
}

/** By what a user has a permission: roles and grants may have changed since the token was issued. */
async function source(grant: string, call: Call<Env>): Promise<string> {
  const { id, tenant } = call.principal
  const membership = (await membershipsOf(id, call)).find(({ organisation }) => organisation.slug === tenant)
  if (!membership?.permissions.some((held) => allows([held], grant))) return `, by a token from before a change in ${tenant}`
  const own = await ownRoles(tenant, call)
  const permits = (role: string) =>
    permissionsOf(role, tenant).includes(grant) || own.some(({ name, permissions }) => name === role && permissions.includes(grant))
  const role = membership.roles.find(permits)
  return role === undefined ? `, granted in ${tenant}` : ` by the role ${role} in ${tenant}`
}

/** `service/environment/tenant`, where `*` and what is left out at the end is not narrowed. */
function resourceOf(text: string, parts: PermissionResource): PermissionResource {
  if (Object.values(parts).some((part) => part !== undefined)) throw invalid('stands instead of service, environment and tenant')
  const segments = text.split('/')
  if (segments.length > 3 || !segments.every((segment) => /^(?:\*|[A-Za-z0-9._~-]{1,128})$/.test(segment))) throw invalid('must be service/environment/tenant')
  const [service, environment, tenant] = segments.map((segment) => (segment === '*' ? undefined : segment))
  return { service, environment, tenant }
}

function invalid(message: string): ServiceError {
  return new ServiceError('INVALID', 'The input does not fit', { details: [{ path: 'resource', message }] })
}

function where(resource: PermissionResource): string {
  const named = Object.entries(resource).filter(([, value]) => value !== undefined)
  return named.length === 0 ? '' : ` for ${named.map(([name, value]) => `${name} ${value}`).join(', ')}`
}
