import { auth } from '@dot-do/worker-contracts/auth'
import type { Contract } from '@dot-do/worker-contracts/contract'
import { db } from '@dot-do/worker-contracts/db'
import { deploy } from '@dot-do/worker-contracts/deploy'
import { dispatcher } from '@dot-do/worker-contracts/dispatcher'
import { gateway } from '@dot-do/worker-contracts/gateway'
import { mcp } from '@dot-do/worker-contracts/mcp'
import { matchOperation, routedOperations, type MatchedOperation, type RoutedOperation } from '@dot-do/worker-contracts/route'
import type { Health } from '@dot-do/worker-types'
import type { Env } from './env.ts'
import type { Target } from './routing.ts'

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
  deploy: { contract: deploy, binding: (env) => env.DEPLOY_SERVICE },
  dispatcher: { contract: dispatcher, binding: (env) => env.DISPATCHER_SERVICE },
}

/** Their names, as hosts and paths spell them. */
export const SERVICE_NAMES: ReadonlySet<string> = new Set(Object.keys(SERVICES))

/** The routes of every contract, by service. */
const ROUTED = new Map(Object.entries(SERVICES).map(([name, { contract }]) => [name, routedOperations(contract)]))

/** Every route of every contract, under the service it belongs to. */
export const ROUTES: (RoutedOperation & { service: string })[] = [...ROUTED].flatMap(([service, routed]) => routed.map((each) => ({ service, ...each })))

/** The operation that a request is for, with its path parameters; undefined for what a service answers by hand or not at all, and for published workers, whose paths are their own. */
export function findOperation({ service, path, published }: Pick<Target, 'service' | 'path' | 'published'>, method: string): MatchedOperation | undefined {
  return published ? undefined : matchOperation(ROUTED.get(service) ?? [], method, path)
}

/** The counter that a request draws on. */
export function limitClassOf({ published }: Pick<Target, 'published'>, found: MatchedOperation | undefined): string {
  return published ? 'published' : (found?.routed.operation.limit ?? 'default')
}
