import { isPlatformHost, productionHost } from '@dot-do/worker-utils'

/** Where a request goes: which service, under which path of its own, and by which rule. */
export interface Target {
  service: string
  path: string
  rule: string
  /** How a published worker is named that is to answer, by way of the dispatcher: by a host that is its own, or by a path of the platform's. */
  published?: 'host' | 'path'
}

/** Services whose host or path names them, and what follows a host name on this deployment. */
export interface RoutingTable {
  services: ReadonlySet<string>
  hostSuffix: string
}

/** Finds where a request goes; undefined if nowhere. First the host, then, on the platform's own hosts, the path; any other host is a published worker's. */
export function route(asked: string, path: string, table: RoutingTable): Target | undefined {
  const host = productionHost(asked, table.hostSuffix)
  if (isPlatformHost(host)) return byPath(path, table)
  return byHost(host, path, table) ?? { service: 'dispatcher', path, rule: `host ${host}, published`, published: 'host' }
}

function byHost(host: string, path: string, { services }: RoutingTable): Target | undefined {
  const name = /^([a-z0-9-]+)\.(?:do|apis\.do|services\.do)$/.exec(host)?.[1]
  if (name === undefined || !services.has(name)) return undefined
  if (path === '/mcp') return { service: 'mcp', path: `/${name}/mcp`, rule: `host ${host}, the service's tools` }
  return { service: name, path, rule: `host ${host}` }
}

function byPath(path: string, { services }: RoutingTable): Target | undefined {
  if (path === '/mcp') return { service: 'mcp', path, rule: 'path /mcp' }
  if (path.startsWith('/.well-known/')) return { service: 'auth', path, rule: 'path /.well-known/*' }
  const [, prefix = '', name = '', rest = ''] = /^(\/api)?\/([a-z0-9-]+)(\/.*)?$/.exec(path) ?? []
  if (!services.has(name)) return prefix === '/api' ? { service: 'dispatcher', path, rule: `path /api/${name}/*, published`, published: 'path' } : own(path)
  if (rest === '/mcp') return { service: 'mcp', path: `/${name}/mcp`, rule: `path ${prefix}/${name}/mcp` }
  return { service: name, path: rest || '/', rule: `path ${prefix}/${name}/*` }
}

/** The gateway's own paths are those of its contract, `/health`, `/openapi.json`, `/_routes`, and the reference, `/docs`. */
function own(path: string): Target | undefined {
  return /^\/(health|openapi\.json|docs(\/[a-z0-9-]+)?|_[a-z-]+)?$/.test(path) ? { service: 'gateway', path, rule: "the gateway's own path" } : undefined
}
