import { WorkerEntrypoint } from 'cloudflare:workers'
import { objectsBinding, type Bell, type Step, type StepReport } from '../protocol.ts'
import type { Env, ObjectStub } from './environment.ts'
import { dialOf, planOf } from './environment.ts'
import { accept, deliverDue, nextMessageAt, setMailTime, takeDelivered } from './mail.ts'
import { settle } from './settle.ts'

/** What producers of a queue are bound to: the interface of Cloudflare's own. */
export class ClockQueue extends WorkerEntrypoint<Env, { queue: string }> {
  send(body: unknown, options?: QueueSendOptions): void {
    this.#take([{ ...options, body }])
  }

  sendBatch(messages: Iterable<MessageSendRequest>, options?: QueueSendBatchOptions): void {
    this.#take([...messages].map((message) => ({ ...options, ...message })))
  }

  #take(messages: { body: unknown; delaySeconds?: number }[]): void {
    accept(this.ctx.props.queue, messages, this.env)
    this.ctx.waitUntil(deliverDue(this.env))
  }
}

// oxlint-disable-next-line import/no-default-export -- what a Worker exports
export default {
  /** Takes a step, and tells what came of it. */
  async fetch(request: Request, env: Env): Promise<Response> {
    const { token } = planOf(env)
    if (request.headers.get('x-clock-token') !== token) return new Response(null, { status: 404 })
    const { recall, ...step } = (await request.json()) as Step & { recall?: Bell[] }
    return Response.json(recall ? { alarms: await due(recall, env) } : await take(step, env))
  },
}

/** The time that every Worker was told last. */
let told: number | undefined

async function take({ now, cron, alarm }: Step, env: Env): Promise<StepReport> {
  setMailTime(now)
  if (now !== told) await Promise.all(planOf(env).workers.map((worker) => dialOf(env, worker).turn(now)))
  told = now
  const failure = cron
    ? await fails(() => dialOf(env, cron.worker).runScheduled(cron.cron, cron.scheduledTime))
    : alarm && (await objectOf(alarm, env).clockRing())
  const touched = await settle(env)
  const alarms = await due(touched, env)
  return { ...(failure === undefined ? {} : { failure }), alarms, delivered: takeDelivered(), nextMessageAt: nextMessageAt() }
}

async function fails(run: () => Promise<void>): Promise<string | undefined> {
  try {
    await run()
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function due(bells: Bell[], env: Env): Promise<StepReport['alarms']> {
  return Promise.all(bells.map(async (bell) => ({ ...bell, at: await objectOf(bell, env).clockDue() })))
}

function objectOf(bell: Bell, env: Env): ObjectStub {
  const objects = env[objectsBinding(bell)] as unknown as { get(id: unknown): ObjectStub; idFromString(id: string): unknown }
  return objects.get(objects.idFromString(bell.id))
}
