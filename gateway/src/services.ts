import { auth } from '@dot-do/worker-contracts/auth'
import type { AnyOperation, Contract } from '@dot-do/worker-contracts/contract'
import { db } from '@dot-do/worker-contracts/db'
import { gateway } from '@dot-do/worker-contracts/gateway'
import { mcp } from '@dot-do/worker-contracts/mcp'
import { parseRoute } from '@dot-do/worker-contracts/route'
import type { Health } from '@dot-do/worker-types'
import type { Env } from './env.ts'

/** A service that is routed to: what it promises, and how it is reached. The gateway reaches itself without a binding. */
export interface RoutedService {
  contract: Contract
  binding?: (env: Env) => Reachable
}

/** What the gateway asks of every service it routes to. */
export interface Reachable {
  fetch: typeof fetch
  health(input: Record<string, never>): Promise<Health>
}

/** The services that are routed to, by name. */
export const SERVICES: Readonly<Record<string, RoutedService>> = {
  gateway: { contract: gateway },
  auth: { contract: auth, binding: (env) => env.AUTH_SERVICE },
  db: { contract: db, binding: (env) => env.DB_SERVICE },
  mcp: { contract: mcp, binding: (env) => env.MCP_SERVICE },
}

/** Their names, as hosts and paths spell them. */
export const SERVICE_NAMES: ReadonlySet<string> = new Set(Object.keys(SERVICES))

/** One route of one service, ready to be matched against a request. */
export interface ServiceRoute {
  service: string
  name: string
  method: string
  path: string
  pattern: RegExp
  operation: AnyOperation
}

/** Every route of every contract. */
export const ROUTES: ServiceRoute[] = Object.values(SERVICES).flatMap(({ contract }) =>
  Object.entries(contract.operations).flatMap(([name, operation]) =>
    operation.http ? [{ service: contract.name, name, operation, ...matcher(operation.http) }] : [],
  ),
)

/** Routes that draw on a counter of their own, by service: few, so that most requests are matched against nothing. */
const LIMITED = Map.groupBy(
  ROUTES.filter(({ operation }) => (operation.limit ?? 'default') !== 'default'),
  ({ service }) => service,
)

/** The route that a service's own router will choose for a request. */
export function findRoute(service: string, method: string, path: string): ServiceRoute | undefined {
  return ROUTES.find((route) => route.service === service && matches(route, method, path))
}

/** Which counter a request draws on. */
export function limitClassOf(service: string, method: string, path: string): string {
  return LIMITED.get(service)?.find((route) => matches(route, method, path))?.operation.limit ?? 'default'
}

function matches(route: ServiceRoute, method: string, path: string): boolean {
  return (route.method === method || (route.method === 'GET' && method === 'HEAD')) && route.pattern.test(path)
}

function matcher(http: NonNullable<AnyOperation['http']>): { method: string; path: string; pattern: RegExp } {
  const { method, path } = parseRoute(http)
  const source = path
    .replaceAll(/[.*?()[\]{}|\\^$]/g, '\\$&')
    .replaceAll(/:\w+\+/g, '.+')
    .replaceAll(/:\w+/g, '[^/]+')
  return { method, path, pattern: new RegExp(`^${source}$`) }
}
