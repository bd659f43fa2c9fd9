import { admin } from './client.ts'
import { publish, visit, workerName } from './publisher.ts'

/** Publishes a worker and a second version that is not live yet. */
export async function published(first: string, second: string): Promise<string> {
  const name = workerName()
  await publish(name, first)
  await publish(name, second, { activate: false })
  return name
}

/** Sets a canary. */
export function canary(service: string, body: object) {
  return admin('/deploy/canary', { body: { service, ...body } })
}

/** How many of so many visitors met the canary. */
export async function share(name: string, visitors: number): Promise<number> {
  let met = 0
  for (let asked = 0; asked < visitors; asked += 100) {
    const answers = await Promise.all(Array.from({ length: 100 }, () => visit(`${name}.do`)))
    met += answers.filter(({ text }) => text === 'canary').length
  }
  return met / visitors
}
