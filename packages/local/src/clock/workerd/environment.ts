import { dialBinding, type Plan } from '../protocol.ts'
import type { Look } from './tasks.ts'
import type { Delivery, Returned } from './within.ts'

/** What the clock's Worker is bound to: `PLAN`, and a dial and the Durable Objects of each Worker, under the names of protocol.ts. */
export type Env = Readonly<Record<string, unknown>>

/** A Worker's dial over RPC. */
export interface Dial {
  turn(now: number): Promise<void>
  look(): Promise<Look>
  runScheduled(cron: string, scheduledTime: number): Promise<void>
  runQueue(queue: string, deliveries: Delivery[]): Promise<Returned>
}

/** What a turned Durable Object lets the clock do. */
export interface ObjectStub {
  clockDue(): Promise<number | null>
  clockRing(): Promise<string | undefined>
}

let known: Plan | undefined

/** What the clock knows of the Workers. */
export function planOf(env: Env): Plan {
  known ??= JSON.parse(String(env['PLAN'])) as Plan
  return known
}

/** The dial of a Worker. */
export function dialOf(env: Env, worker: string): Dial {
  return env[dialBinding(worker)] as Dial
}
