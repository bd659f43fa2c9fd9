import { discoverServices } from '@dot-do/worker-local/host/workspace'
import { chosenFrom, deploymentOrder, type Deployable } from './deployment-order.ts'
import { ROOT } from './root.ts'

/** The queues that Workers send to, take from, or leave to what they could not do; each once, sorted. Cloudflare refuses a Worker whose queue is not there. */
export function requiredQueues(workers: readonly Pick<Deployable, 'config'>[]): string[] {
  const names = workers.flatMap(({ config: { queues } }) => [
    ...(queues?.producers ?? []).map(({ queue }) => queue),
    ...(queues?.consumers ?? []).flatMap(({ queue, dead_letter_queue }) => [queue, ...(dead_letter_queue === undefined ? [] : [dead_letter_queue])]),
  ])
  return [...new Set(names)].sort()
}

/** `node scripts/required-queues.ts [name …]` prints the queues of all Workers, or of those named, one in a line. */
if (import.meta.main) {
  const services = await discoverServices(ROOT)
  const chosen = chosenFrom(deploymentOrder(services), process.argv.slice(2))
  for (const queue of requiredQueues(services.filter(({ name }) => chosen.includes(name)))) console.log(queue)
}
