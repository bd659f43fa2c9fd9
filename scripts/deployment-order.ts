import { discoverServices, type WorkspaceService } from '@dot-do/worker-local/host/workspace'
import { ROOT } from './root.ts'

/** What the order is made from: a Worker's name and its configuration. */
export type Deployable = Pick<WorkspaceService, 'name' | 'config'>

/**
 * The names of all Workers, each behind those it is bound to: Cloudflare refuses a binding to a Worker that is not there yet.
 * Workers that do not depend on each other stand by name. Fails with a cycle's members, and with a binding to a Worker that is not among them.
 */
export function deploymentOrder(workers: readonly Deployable[]): string[] {
  const byName = new Map(workers.map((worker) => [worker.name, worker]))
  const order: string[] = []
  const place = (name: string, path: readonly string[]): void => {
    if (order.includes(name)) return
    if (path.includes(name)) throw new Error(`Workers that wait for each other cannot be deployed: ${[...path.slice(path.indexOf(name)), name].join(' → ')}`)
    const worker = byName.get(name)
    if (!worker) throw new Error(`${path.at(-1)} is bound to ${name}, which is no Worker here`)
    for (const other of boundTo(worker)) place(other, [...path, name])
    order.push(name)
  }
  for (const name of [...byName.keys()].sort()) place(name, [])
  return order
}

/** The other Workers that one is bound to: by service, as the outbound Worker of a dispatch namespace, by the class of a Durable Object. Itself is not among them. */
export function boundTo({ name, config }: Deployable): string[] {
  const targets = [
    ...(config.services ?? []).map(({ service }) => service),
    ...(config.dispatch_namespaces ?? []).flatMap(({ outbound }) => outbound?.service ?? []),
    ...(config.durable_objects?.bindings ?? []).flatMap(({ script_name }) => script_name ?? []),
  ]
  return [...new Set(targets)].filter((target) => target !== name).sort()
}

/** Those of an order that are wanted; all, if none is named. Fails with a name that is not in it, and says which are. */
export function chosenFrom(order: readonly string[], wanted: readonly string[]): string[] {
  const unknown = wanted.filter((name) => !order.includes(name))
  if (unknown.length > 0) throw new Error(`no Worker is called ${unknown.join(', ')}; there are: ${[...order].sort().join(', ')}`)
  return wanted.length === 0 ? [...order] : order.filter((name) => wanted.includes(name))
}

/** `node scripts/deployment-order.ts [name …]` prints the order of all Workers, or of those named, one in a line. */
if (import.meta.main) {
  try {
    const order = chosenFrom(deploymentOrder(await discoverServices(ROOT)), process.argv.slice(2))
    for (const name of order) console.log(name)
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 2
  }
}
