import { allows } from '@dot-do/worker-utils'
import type { Operations } from '../operations.ts'
import { ROLES } from '../roles.ts'

export const listRoles: Operations['listRoles'] = () => ({
  roles: Object.entries(ROLES).map(([name, permissions]) => ({ name, permissions: [...permissions] })),
})

export const can: Operations['can'] = ({ permission, ...resource }, { principal }) => {
  const grant = principal.permissions.find((granted) => allows([granted], permission, resource))
  if (grant !== undefined) return { allowed: true, reason: `${principal.id} has ${grant}` }
  return { allowed: false, reason: `${principal.id} has no permission that covers ${permission}${where(resource)}` }
}

function where(resource: Record<string, string | undefined>): string {
  const named = Object.entries(resource).filter(([, value]) => value !== undefined)
  return named.length === 0 ? '' : ` for ${named.map(([name, value]) => `${name} ${value}`).join(', ')}`
}
