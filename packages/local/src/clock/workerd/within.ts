import { WorkerEntrypoint } from 'cloudflare:workers'
import { installStandingDate } from '../standing-date.ts'
import { installSteadyChance } from './chance.ts'
import { hookTimers } from './naps.ts'
import { countedMethod, countMethods, hookWaitUntil, look, type Look } from './tasks.ts'

export { turnedObject } from './object.ts'

/** A message as it is handed to a consumer. */
export interface Delivery {
  id: string
  body: unknown
  timestamp: number
  attempts: number
}

/** Which messages are to come again, and after how many seconds, where the consumer said so. */
export type Returned = [id: string, delaySeconds: number | undefined][]

type Handlers = Record<string, ((input: unknown, env: unknown, ctx: ExecutionContext) => unknown) | undefined>
type HandlerClass = new (ctx: ExecutionContext, env: unknown) => Record<string, (input: unknown) => unknown>

const EVENTS = ['fetch', 'scheduled', 'queue', 'tail', 'email']

let setTime: (now: number) => void = () => {}
let main: unknown

/** Sets the isolate's clock, before any of the Worker's own code runs. */
export function stand(now: number): void {
  setTime = installStandingDate(now)
  installSteadyChance()
  hookTimers()
  hookFetch()
}

/** What is asked of the outside counts as running too. */
function hookFetch(): void {
  const real = globalThis.fetch
  globalThis.fetch = countedMethod((input, init) => real(input as Request, init as RequestInit)) as typeof fetch
}

/** Counts whatever calls into a Worker. Answers what is to be its default export. */
export function attend(exports: Record<string, unknown>): unknown {
  for (const value of Object.values(exports)) {
    if (typeof value === 'function' && value.prototype instanceof WorkerEntrypoint) countMethods(value.prototype as object, WorkerEntrypoint.prototype)
  }
  main = exports['default']
  return typeof main === 'object' && main !== null ? countedHandlers(main as Handlers) : main
}

function countedHandlers(handlers: Handlers): Handlers {
  const counted: Handlers = {}
  for (const event of EVENTS) {
    const handler = handlers[event]
    if (!handler) continue
    const count = countedMethod((input, env, ctx) => handler.call(handlers, input, env, ctx as ExecutionContext))
    counted[event] = (input, env, ctx) => {
      hookWaitUntil(ctx)
      return count.call(undefined, input, env, ctx)
    }
  }
  return counted
}

/** The way into a Worker that only the clock's own has a binding to. */
export class ClockDial extends WorkerEntrypoint<unknown> {
  turn(now: number): void {
    setTime(now)
  }

  look(): Look {
    return look()
  }

  /** Fires a cron. Answers when the handler does; what it gave to `waitUntil` may go on. */
  async runScheduled(cron: string, scheduledTime: number): Promise<void> {
    await this.#run('scheduled', { cron, scheduledTime, type: 'scheduled', noRetry() {} })
  }

  /** Delivers a batch. Fails when its consumer does, and then all of it is to come again. */
  async runQueue(queue: string, deliveries: Delivery[]): Promise<Returned> {
    const outcomes = new Map<string, 'acked' | { delaySeconds: number | undefined }>()
    const settle = (id: string, outcome: 'acked' | { delaySeconds: number | undefined }) => void (outcomes.has(id) || outcomes.set(id, outcome))
    const retry = (id: string, options?: QueueRetryOptions) => settle(id, { delaySeconds: options?.delaySeconds })
    const messages = deliveries.map(({ timestamp, ...delivery }) => ({
      ...delivery,
      timestamp: new Date(timestamp),
      ack: () => settle(delivery.id, 'acked'),
      retry: (options?: QueueRetryOptions) => retry(delivery.id, options),
    }))
    await this.#run('queue', {
      queue,
      messages,
      ackAll: () => messages.forEach(({ ack }) => ack()),
      retryAll: (options?: QueueRetryOptions) => messages.forEach((message) => message.retry(options)),
    })
    return [...outcomes].flatMap(([id, outcome]) => (outcome === 'acked' ? [] : [[id, outcome.delaySeconds]]))
  }

  async #run(event: string, input: object): Promise<void> {
    hookWaitUntil(this.ctx)
    if (typeof main === 'function') await new (main as HandlerClass)(this.ctx, this.env)[event]?.(input)
    else await (main as Handlers | undefined)?.[event]?.(input, this.env, this.ctx)
  }
}
