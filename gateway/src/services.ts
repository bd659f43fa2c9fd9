import { auth } from '@dot-do/worker-contracts/auth'
import type { Contract } from '@dot-do/worker-contracts/contract'
import { db } from '@dot-do/worker-contracts/db'
import { deploy } from '@dot-do/worker-contracts/deploy'
import { dispatcher } from '@dot-do/worker-contracts/dispatcher'
import { gateway } from '@dot-do/worker-contracts/gateway'
import { mcp } from '@dot-do/worker-contracts/mcp'
import { queue } from '@dot-do/worker-contracts/queue'
import { matchOperation, routedOperations, type MatchedOperation, type RoutedOperation } from '@dot-do/worker-contracts/route'
import { schedule } from '@dot-do/worker-contracts/schedule'
import type { Health } from '@dot-do/worker-types'
import type { Env } from './env.ts'
import type { Charge } from './limits.ts'
import type { Target } from './routing.ts'

/** A service that is routed to: what it promises, and how it is reached. The gateway reaches itself without a binding. */
export interface RoutedService {
  contract: Contract
  binding?: (env: Env) => Reachable
  /** How long its answer is waited for, where that is not TIMEOUT_MS. */
  timeoutMs?: number
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
  deploy: { contract: deploy, binding: (env) => env.DEPLOY_SERVICE, timeoutMs: 150_000 },
  dispatcher: { contract: dispatcher, binding: (env) => env.DISPATCHER_SERVICE },
  queue: { contract: queue, binding: (env) => env.QUEUE_SERVICE },
  schedule: { contract: schedule, binding: (env) => env.SCHEDULE_SERVICE },
}

/** How long a published worker's answer is waited for: as long as Cloudflare's proxy waits for an origin. */
export const PUBLISHED_TIMEOUT_MS = 100_000

/** How long a service's answer is waited for, in milliseconds; of a stream, for its beginning. */
export function timeoutOf(service: string, env: Env): number {
  return SERVICES[service]?.timeoutMs ?? Number(env.TIMEOUT_MS)
}

/** Their names, as hosts and paths spell them. */
export const SERVICE_NAMES: ReadonlySet<string> = new Set(Object.keys(SERVICES))

/** The routes of every contract, by service. */
const ROUTED = new Map(Object.entries(SERVICES).map(([name, { contract }]) => [name, routedOperations(contract)]))

/** Every route of every contract, under the service it belongs to. */
export const ROUTES: (RoutedOperation & { service: string })[] = [...ROUTED].flatMap(([service, routed]) => routed.map((each) => ({ service, ...each })))

/** The operation that a request is for, with its path parameters; undefined for what a service answers by hand or not at all, for published workers, whose paths are their own, and where the path is a thing's. */
export function findOperation(
  { service, path, published, openNs }: Pick<Target, 'service' | 'path' | 'published' | 'openNs'>,
  method: string,
): MatchedOperation | undefined {
  return published || openNs !== undefined ? undefined : matchOperation(ROUTED.get(service) ?? [], method, path)
}

/** What tries who somebody is and is written by hand, by service: no contract says how it is limited. To look at the page, or to set out for a provider, tries nothing. */
const SIGNING_IN: Readonly<Record<string, RegExp>> = { auth: /^(?:POST \/(?:login|token|session\/)|GET \/callback)/ }

/** The counter that a request draws on. */
export function limitClassOf(target: Pick<Target, 'service' | 'path' | 'published'>, method: string, found?: MatchedOperation): string {
  const { service, path, published } = target
  if (published) return 'published'
  if (found) return found.routed.operation.limit ?? 'default'
  return SIGNING_IN[service]?.test(`${method} ${path}`) ? 'auth' : 'default'
}

/** The counter that a request draws on, and how much; also one that leads nowhere. */
export function chargeOf(target: Target | undefined, method: string, found?: MatchedOperation): Charge {
  return { limitClass: target ? limitClassOf(target, method, found) : 'default', cost: found?.routed.operation.cost ?? 1 }
}
