import { hostName } from '@dot-do/worker-contracts/published'
import { isPlatformHost, productionHost } from '@dot-do/worker-utils'

/** Where a request goes: which service, under which path of its own, and by which rule. */
export interface Target {
  service: string
  path: string
  rule: string
  /** How a published worker is named that is to answer, by way of the dispatcher: by a host that is its own, or by a path of the platform's. */
  published?: 'host' | 'path'
  /** The namespace whose public things are read, on a host `<ns>.mw`: nobody is asked who they are. */
  openNs?: string
  /** A host of somebody's own, which leads elsewhere if the table of domains has it. */
  domain?: string
}

/** Services whose host or path names them, and what follows a host name on this deployment. */
export interface RoutingTable {
  services: ReadonlySet<string>
  hostSuffix: string
}

/** A host as requests may name it: one name or address, perhaps with a port. All else is no host, or more than one. */
const HOST = /^(?:[a-z0-9_](?:[a-z0-9._-]*)|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i

/** Whether a Host header names one host. A URL made of anything else would have another path than was asked for. */
export function isHost(host: string): boolean {
  return HOST.test(host)
}

/**
 * Finds where a request goes; undefined if nowhere. First the host, then, on the platform's own hosts, the path; any other host is a published worker's, or whatever
 * the table of domains says, which is not looked at here.
 */
export function route(asked: string, path: string, table: RoutingTable): Target | undefined {
  const host = nameOf(asked, table.hostSuffix)
  if (isPlatformHost(host)) return byPath(path, table)
  if (host.endsWith('.mw')) return openly(host, path)
  const named = byHost(host, path, table)
  if (named) return named
  const published: Target = { service: 'dispatcher', path, rule: `host ${host}, published`, published: 'host' }
  return isForeign(host) ? { ...published, domain: host } : published
}

/** Where a request for a host of somebody's own goes that leads to a service: as on a host of the service's. */
export function onDomain(host: string, service: string, path: string): Target {
  return { ...onServiceHost(service, path), rule: `domain ${host}` }
}

/** Whether a path is for those who say who they are, whatever its route promises: it begins with `/_`, however slash and underscore are written. */
export function isGuarded(path: string): boolean {
  return GUARDED.test(path)
}

const GUARDED = /^(?:\/|\\|%2f|%5c)+(?:_|%5f)/i

/** The host as production has it: without what a deployment puts behind, without a port, without the dot of the root. */
function nameOf(asked: string, suffix: string): string {
  const host = productionHost(asked, suffix)
  const bare = host.replace(/:\d+$/, '')
  return bare.endsWith('.') ? bare.slice(0, -1) : bare
}

/** Names under `do` are the platform's to give. */
function isForeign(host: string): boolean {
  return !host.endsWith('.do') && hostName.safeParse(host).success
}

function openly(host: string, path: string): Target | undefined {
  const ns = /^([a-z0-9][a-z0-9-]{0,62})\.mw$/.exec(host)?.[1]
  return ns === undefined ? undefined : { service: 'db', path, rule: `host ${host}, what is public`, openNs: ns }
}

function byHost(host: string, path: string, { services }: RoutingTable): Target | undefined {
  const name = /^([a-z0-9-]+)\.(?:do|apis\.do|services\.do)$/.exec(host)?.[1]
  if (name === undefined || !services.has(name)) return undefined
  return { ...onServiceHost(name, path), rule: path === '/mcp' ? `host ${host}, the service's tools` : `host ${host}` }
}

function onServiceHost(service: string, path: string): Pick<Target, 'service' | 'path'> {
  return path === '/mcp' ? { service: 'mcp', path: `/${service}/mcp` } : { service, path }
}

function byPath(path: string, { services }: RoutingTable): Target | undefined {
  if (path === '/mcp') return { service: 'mcp', path, rule: 'path /mcp' }
  if (path.startsWith('/.well-known/')) return { service: 'auth', path, rule: 'path /.well-known/*' }
  const [, prefix = '', name = '', rest = ''] = /^(\/api)?\/([a-z0-9-]+)(\/.*)?$/.exec(path) ?? []
  if (!services.has(name)) return prefix === '/api' ? { service: 'dispatcher', path, rule: `path /api/${name}/*, published`, published: 'path' } : own(path)
  if (rest === '/mcp') return { service: 'mcp', path: `/${name}/mcp`, rule: `path ${prefix}/${name}/mcp` }
  return { service: name, path: rest || '/', rule: `path ${prefix}/${name}/*` }
}

/** The gateway's own paths are those of its contract, `/health`, `/waitlist`, `/_routes` and its like, `/openapi.json`, and the reference, `/docs`. */
function own(path: string): Target | undefined {
  return /^\/(health|waitlist|openapi\.json|docs(\/[a-z0-9-]+)?|_[a-z-]+(\/[^/]+)?)?$/.test(path)
    ? { service: 'gateway', path, rule: "the gateway's own path" }
    : undefined
}
