import type { Principal } from '@dot-do/worker-types'
import { allows, ServiceError } from '@dot-do/worker-utils'
import { route } from './routing.ts'
import { findOperation, SERVICE_NAMES } from './services.ts'

/** What would become of a request, told to whoever runs the platform. */
export interface Explanation {
  url: string
  rule: string
  service: string | null
  path: string
  operation: string | null
  permission: string | null
  limit: string
  access: 'granted' | 'denied'
  reason: string
}

/** Explains which rule matches a URL or path, which operation that is, and whether the asker may use it. */
export function explain(
  { asked, method }: { asked: string; method: string },
  { principal, hostSuffix }: { principal: Principal; hostSuffix: string },
): Explanation {
  const url = URL.parse(asked, 'https://gateway.do')
  if (!url) throw new ServiceError('INVALID', 'explain must be a URL or a path', { details: [{ path: 'explain', message: 'is neither a URL nor a path' }] })
  const target = route(url.host, url.pathname, { services: SERVICE_NAMES, hostSuffix })
  if (!target)
    return {
      url: url.href,
      rule: 'none',
      service: null,
      path: url.pathname,
      operation: null,
      permission: null,
      limit: 'default',
      access: 'denied',
      reason: 'nothing is at this address',
    }
  const found = findOperation(target.service, method, target.path)?.routed
  const permission = found?.operation.permission ?? null
  return { url: url.href, ...target, operation: found?.name ?? null, permission, limit: found?.operation.limit ?? 'default', ...access(principal, permission) }
}

function access(principal: Principal, permission: string | null): Pick<Explanation, 'access' | 'reason'> {
  if (permission === null) return { access: 'denied', reason: 'the service has no such operation; routes written by hand decide for themselves' }
  if (permission === 'public') return { access: 'granted', reason: 'anyone may' }
  if (permission === 'authenticated')
    return principal.kind === 'anonymous' ? { access: 'denied', reason: 'nobody is signed in' } : { access: 'granted', reason: `${principal.id} is signed in` }
  const grant = principal.permissions.find((granted) => allows([granted], permission))
  return grant === undefined
    ? { access: 'denied', reason: `${principal.id} lacks ${permission}` }
    : { access: 'granted', reason: `${principal.id} has ${grant}` }
}
