import { onBehalf, type Call } from '@dot-do/worker-kernel/call'
import type { Dispatcher } from '@dot-do/worker-contracts/dispatcher'
import type { Principal } from '@dot-do/worker-types'
import { allows, isPlatformHost, productionHost, ServiceError, toServiceError } from '@dot-do/worker-utils'
import { atDomain } from './domains.ts'
import type { Env } from './env.ts'
import type { Operations } from './operations.ts'
import { isGuarded, route, type Target } from './routing.ts'
import { findOperation, limitClassOf, SERVICE_NAMES } from './services.ts'

/** What would become of a request, told to whoever runs the platform. */
type Explanation = NonNullable<Awaited<ReturnType<Operations['routes']>>['explanation']>

/** Whether somebody may, and why. */
type Access = Pick<Explanation, 'access' | 'grant' | 'reason'>

/** What a request asks for, read from what was asked. */
interface Asked {
  url: URL
  method: string
  target: Target
}

const granted = (reason: string, grant: string | null = null): Access => ({ access: 'granted', grant, reason })
const denied = (reason: string): Access => ({ access: 'denied', grant: null, reason })

/** Explains which layer and rule match a URL or path, which operation that is, and whether the asker may use it, and by which grant. */
export async function explain({ asked, method }: { asked: string; method: string }, call: Call<Env>): Promise<Explanation> {
  const url = URL.parse(asked, 'https://gateway.do')
  if (!url) throw new ServiceError('INVALID', 'explain must be a URL or a path', { details: [{ path: 'explain', message: 'is neither a URL nor a path' }] })
  const found = route(url.host, url.pathname, { services: SERVICE_NAMES, hostSuffix: call.env.HOST_SUFFIX })
  if (!found) return { ...NOWHERE, url: url.href, path: url.pathname, ...unrouted(url, call.principal) }
  const target = await atDomain(found, call)
  const about = { url, method, target }
  if (target.published) return explainPublished(about, call)
  const operation = findOperation(target, method)
  const permission = operation?.routed.operation.permission ?? (target.openNs === undefined ? null : 'public')
  return {
    ...partsOf(about),
    layer: layerOf(url, target, call.env),
    operation: operation?.routed.name ?? null,
    permission,
    limit: limitClassOf(target, method, operation),
    ...(target.openNs === undefined ? accessTo(permission, about, call.principal) : openAccess(about)),
  }
}

const NOWHERE = { layer: 'none', rule: 'none', service: null, operation: null, permission: null, limit: 'default' } as const

function unrouted(url: URL, { kind }: Principal): Access {
  const isHidden = isGuarded(url.pathname) && kind === 'anonymous'
  return denied(isHidden ? 'nobody is signed in, and paths that begin with /_ are for those who are' : 'nothing is at this address')
}

function partsOf({ url, target }: Asked): Pick<Explanation, 'url' | 'service' | 'path' | 'rule'> {
  return { url: url.href, service: target.service, path: target.path, rule: target.rule }
}

function layerOf({ host }: URL, { rule }: Target, { HOST_SUFFIX }: Env): Explanation['layer'] {
  if (rule.startsWith('domain ')) return 'domain'
  return isPlatformHost(productionHost(host, HOST_SUFFIX)) ? 'path' : 'host'
}

function openAccess({ url, method }: Asked): Access {
  if (method !== 'GET' && method !== 'HEAD') return denied('on .mw hosts there is nothing but reading')
  return isGuarded(url.pathname)
    ? denied('paths that begin with /_ are for those who are signed in, and here nobody is')
    : granted('anyone may read what is public')
}

function accessTo(permission: string | null, { url, target }: Asked, { kind, id, permissions }: Principal): Access {
  const isStranger = kind === 'anonymous'
  if (isStranger && (isGuarded(url.pathname) || isGuarded(target.path)))
    return denied('nobody is signed in, and paths that begin with /_ are for those who are')
  if (permission === null) return denied('the service has no such operation; routes written by hand decide for themselves')
  if (permission === 'public') return granted('anyone may')
  if (permission === 'authenticated') return isStranger ? denied('nobody is signed in') : granted(`${id} is signed in`)
  const grant = permissions.find((each) => allows([each], permission))
  if (grant !== undefined) return granted(`${id} has ${grant}`, grant)
  const narrow = permissions.find((each) => allows([each.replace(/@.*$/, '')], permission))
  return denied(
    narrow === undefined ? `${id} lacks ${permission}` : `${id} has ${permission} only as ${narrow}; whether that covers the request, its input decides`,
  )
}

/** What the dispatcher knows of a published worker's address, as far as the asker may know it. */
async function explainPublished(about: Asked, call: Call<Env>): Promise<Explanation> {
  const { url, target } = about
  const parts = { ...partsOf(about), operation: null, permission: null, limit: limitClassOf(target, about.method) }
  const layer: Explanation['layer'] = target.domain !== undefined ? 'domain' : (target.published ?? 'host')
  if (call.principal.kind === 'service') return { ...parts, layer, ...granted('who may call a published worker, dispatcher’s resolve says') }
  try {
    const found = await call.env.DISPATCHER_SERVICE.resolve({ url: url.href }, onBehalf(call))
    if (found.worker !== null && found.access !== null) return { ...parts, layer, ...workerAccess(found, call.principal) }
    if (target.published === 'path') return { ...parts, layer: 'none', ...denied(found.reason) }
    return { ...parts, layer: 'waitlist', ...denied(`${found.reason}; people get the waitlist, programs 404`) }
  } catch (thrown) {
    const { code, message } = toServiceError(thrown)
    return { ...parts, layer, ...denied(code === 'FORBIDDEN' ? 'what is published there is told to those who have pointers:read' : message) }
  }
}

/** As the dispatcher lets people in. */
function workerAccess(
  { tenant, worker, access, version, reason }: Awaited<ReturnType<Dispatcher['resolve']>>,
  { id, kind, tenant: own, permissions }: Principal,
): Access {
  const what = `version ${version} of ${worker}, ${reason}`
  const all = permissions.find((each) => allows([each], '*'))
  if (access === 'public') return granted(`${what}; anyone may`)
  if (all !== undefined) return granted(`${what}; ${id} has ${all}`, all)
  if (kind === 'anonymous') return denied(`${what}; nobody is signed in`)
  if (access === 'tenant' && tenant === own) return granted(`${what}; ${id} is of its tenant`)
  return denied(`${what}; ${access === 'admin' ? 'it is for administrators' : 'it is for its own tenant'}`)
}
