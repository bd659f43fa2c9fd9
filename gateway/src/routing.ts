/** Where a request goes: which service, under which path of its own, and by which rule. */
export interface Target {
  service: string
  path: string
  rule: string
}

/** Services whose host or path names them, and what follows a host name on this deployment. */
export interface RoutingTable {
  services: ReadonlySet<string>
  hostSuffix: string
}

/** Hosts of the platform as a whole: there the path says which service. */
const PLATFORM_HOSTS = new Set(['gateway.do', 'api.do', 'apis.do', 'services.do'])

/** Finds where a request goes; undefined if nowhere. First the host, then the path; the first rule that matches wins. */
export function route(host: string, path: string, table: RoutingTable): Target | undefined {
  return byHost(productionHost(host, table.hostSuffix), path, table) ?? byPath(path, table)
}

/** The host as it is in production: `db.do` for `db.do.localhost:8787`. */
function productionHost(host: string, suffix: string): string {
  const lower = host.toLowerCase()
  return suffix !== '' && lower.endsWith(suffix) ? lower.slice(0, -suffix.length) : lower
}

function byHost(host: string, path: string, { services }: RoutingTable): Target | undefined {
  if (PLATFORM_HOSTS.has(host)) return undefined
  const name = /^([a-z0-9-]+)\.(?:do|apis\.do|services\.do)$/.exec(host)?.[1]
  if (name === undefined || !services.has(name)) return undefined
  if (path === '/mcp') return { service: 'mcp', path: `/${name}/mcp`, rule: `host ${host}, the service's tools` }
  return { service: name, path, rule: `host ${host}` }
}

function byPath(path: string, { services }: RoutingTable): Target | undefined {
  if (path === '/mcp') return { service: 'mcp', path, rule: 'path /mcp' }
  if (path.startsWith('/.well-known/')) return { service: 'auth', path, rule: 'path /.well-known/*' }
  const [, prefix = '', name = '', rest = ''] = /^(\/api)?\/([a-z0-9-]+)(\/.*)?$/.exec(path) ?? []
  if (!services.has(name)) return path.startsWith('/api/') ? undefined : own(path)
  if (rest === '/mcp') return { service: 'mcp', path: `/${name}/mcp`, rule: `path ${prefix}/${name}/mcp` }
  return { service: name, path: rest || '/', rule: `path ${prefix}/${name}/*` }
}

/** The gateway's own paths are those of its contract: `/health`, `/openapi.json`, `/_routes`. */
function own(path: string): Target | undefined {
  return /^\/(health|openapi\.json|_[a-z-]+)?$/.test(path) ? { service: 'gateway', path, rule: "the gateway's own path" } : undefined
}
