import type { Principal } from '@dot-do/worker-types'
import { allows, ServiceError } from '@dot-do/worker-utils'
import { route } from './routing.ts'
import { findOperation, limitClassOf, SERVICE_NAMES } from './services.ts'

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
  const { service, path, rule, published } = target
  const found = findOperation(target, method)
  const permission = found?.routed.operation.permission ?? null
  const allowed = published ? OF_WORKER : access(principal, permission)
  return { url: url.href, service, path, rule, operation: found?.routed.name ?? null, permission, limit: limitClassOf(target, found), ...allowed }
}

/** Published workers are found by the dispatcher, which `resolve` there explains. */
const OF_WORKER = {
  access: 'granted',
  reason: 'the gateway lets anyone through to published workers; whether there is one and who may call it, dispatcher says',
} as const

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
