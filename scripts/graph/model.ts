import type { Contract } from '@dot-do/worker-contracts/contract'
import { allows } from '@dot-do/worker-utils'
import { readJson, serviceNames } from '../checks/files.ts'

/** What of a `wrangler.jsonc` the graph shows (https://developers.cloudflare.com/workers/wrangler/configuration/). */
export interface GraphConfig {
  routes?: { pattern: string }[]
  services?: { binding: string; service: string; props?: { principal?: { id: string; permissions: string[] }; delegate?: { permissions: string[] } } }[]
  durable_objects?: { bindings: { name: string; class_name: string; script_name?: string }[] }
  queues?: { producers?: { binding: string; queue: string }[]; consumers?: { queue: string; dead_letter_queue?: string }[] }
  dispatch_namespaces?: { binding: string; namespace: string; outbound?: { service: string } }[]
  r2_buckets?: { binding: string; bucket_name?: string }[]
  kv_namespaces?: { binding: string }[]
  triggers?: { crons?: string[] }
}

/** A Worker of the workspace and its configuration. */
export interface ConfiguredWorker {
  name: string
  config: GraphConfig
}

/** Reads the configuration of every Worker under a root; `pnpm check bindings` says whether it is as it must be. */
export async function readWorkers(root: string): Promise<ConfiguredWorker[]> {
  return Promise.all((await serviceNames(root)).map(async (name) => ({ name, config: await readJson<GraphConfig>(root, `${name}/wrangler.jsonc`) })))
}

/** How many operations a contract offers over each interface. */
export interface Interfaces {
  rpc: number
  http: number
  mcp: number
  queue: number
}

/** A Worker as the graph shows it. */
export interface GraphWorker {
  name: string
  /** Absent from a Worker without a contract. */
  interfaces?: Interfaces
  /** How many of its operations need each permission, the commonest first. */
  permissions: Record<string, number>
  /** The classes of its own Durable Objects. */
  durableObjects: string[]
  /** Its buckets, key-value namespaces and crons, `R2 deploy`. */
  holds: string[]
}

/** A Worker may call another: as whom, and what that allows. */
export interface CallEdge {
  kind: 'call'
  from: string
  to: string
  binding: string
  /** Who the caller is to the called; absent from a binding without props, which is a stranger. */
  principal?: string
  /** What it may do in its own name. */
  permissions: string[]
  /** What it may do in the name of whoever asks it; absent when it may not speak for others. */
  delegate?: string[]
  /** How many of the called one's operations its own permissions allow, public ones included. */
  allowed?: number
  /** How many it has. */
  operations?: number
}

/** Any other way from one to another: requests from outside, queues, published workers, objects of another Worker. */
export interface OtherEdge {
  kind: 'request' | 'send' | 'deliver' | 'dead-letter' | 'dispatch' | 'outbound' | 'object'
  from: string
  to: string
  /** What says so: a binding, a route, a namespace. */
  by: string[]
}

/** Who may reach whom. A node is a Worker, or `outside`, `published`, `queue:<name>`. */
export interface Graph {
  workers: GraphWorker[]
  edges: (CallEdge | OtherEdge)[]
}

/** Makes the graph of a workspace; what it says is what the configuration says, and in an order of its own. */
export function graphOf(workers: readonly ConfiguredWorker[], contracts: readonly Contract[]): Graph {
  const sorted = [...workers].sort((one, other) => (one.name < other.name ? -1 : 1))
  const byName = new Map(contracts.map((contract) => [contract.name, contract]))
  return {
    workers: sorted.map((worker) => workerOf(worker, byName.get(worker.name))),
    edges: sorted.flatMap((worker) => [...callsOf(worker, byName), ...othersOf(worker)]),
  }
}

function workerOf({ name, config }: ConfiguredWorker, contract: Contract | undefined): GraphWorker {
  const own = (config.durable_objects?.bindings ?? []).filter(({ script_name = name }) => script_name === name)
  return {
    name,
    ...(contract && { interfaces: interfacesOf(contract) }),
    permissions: permissionsOf(contract),
    durableObjects: own.map(({ class_name }) => class_name).sort(),
    holds: [
      ...(config.r2_buckets ?? []).map(({ binding, bucket_name = binding }) => `R2 ${bucket_name}`),
      ...(config.kv_namespaces ?? []).map(({ binding }) => `KV ${binding}`),
      ...(config.triggers?.crons ?? []).map((cron) => `cron ${cron}`),
    ],
  }
}

function permissionsOf(contract: Contract | undefined): Record<string, number> {
  const counts = new Map<string, number>()
  for (const { permission } of Object.values(contract?.operations ?? {})) counts.set(permission, (counts.get(permission) ?? 0) + 1)
  return Object.fromEntries([...counts].sort(([one, many], [other, few]) => few - many || (one < other ? -1 : 1)))
}

function interfacesOf({ operations }: Contract): Interfaces {
  const all = Object.values(operations)
  const offered = (isOffered: (operation: (typeof all)[number]) => unknown): number => all.filter(isOffered).length
  return { rpc: all.length, http: offered(({ http }) => http), mcp: offered(({ tool }) => tool), queue: offered(({ queue }) => queue) }
}

function callsOf({ name, config }: ConfiguredWorker, contracts: ReadonlyMap<string, Contract>): CallEdge[] {
  return (config.services ?? []).map(({ binding, service, props }) => {
    const { principal, delegate } = props ?? {}
    const permissions = principal?.permissions ?? []
    const operations = Object.values(contracts.get(service)?.operations ?? {})
    const allowed = operations.filter(
      ({ permission }) => permission === 'public' || (principal && (permission === 'authenticated' || allows(permissions, permission))),
    )
    return {
      kind: 'call',
      from: name,
      to: service,
      binding,
      ...(principal && { principal: principal.id }),
      permissions,
      ...(delegate && { delegate: delegate.permissions }),
      ...(contracts.has(service) && { allowed: allowed.length, operations: operations.length }),
    }
  })
}

function othersOf({ name, config }: ConfiguredWorker): OtherEdge[] {
  const edges: OtherEdge[] = []
  const routes = (config.routes ?? []).map(({ pattern }) => pattern)
  if (routes.length > 0) edges.push({ kind: 'request', from: 'outside', to: name, by: routes })
  const namespaces = config.dispatch_namespaces ?? []
  if (namespaces.length > 0) edges.push({ kind: 'dispatch', from: name, to: 'published', by: namespaces.map(({ namespace }) => namespace) })
  for (const worker of new Set(namespaces.flatMap(({ outbound }) => outbound?.service ?? [])))
    edges.push({ kind: 'outbound', from: 'published', to: worker, by: ['outbound'] })
  for (const { binding, queue } of config.queues?.producers ?? []) edges.push({ kind: 'send', from: name, to: `queue:${queue}`, by: [binding] })
  for (const { queue, dead_letter_queue: dead } of config.queues?.consumers ?? []) {
    edges.push({ kind: 'deliver', from: `queue:${queue}`, to: name, by: [queue] })
    if (dead !== undefined) edges.push({ kind: 'dead-letter', from: `queue:${queue}`, to: `queue:${dead}`, by: ['given up'] })
  }
  for (const { name: binding, script_name = name, class_name } of config.durable_objects?.bindings ?? []) {
    if (script_name !== name) edges.push({ kind: 'object', from: name, to: script_name, by: [`${binding}: ${class_name}`] })
  }
  return edges
}
