import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { each, type Target } from './writers.ts'

/** Events that were sent together, and the answer if one came. */
export interface Sent {
  key: string
  /** Counts the batches: it makes every event another's. */
  number: number
  answer?: unknown
}

/** Clients that track events one batch after another until they are told to stop. */
export interface Trackers {
  sent: Sent[]
  accepted(): Sent[]
  /** Resolves when so many more batches have been accepted. */
  more(count: number): Promise<void>
  stop(): Promise<void>
}

/** How the events of a tracker are found again: all of one service that there is not, and each failed for a principal of its own. */
export interface Mark {
  service: string
}

const CLIENTS = 8

/** Events in a batch. */
export const BATCH = 25

/** Tracks batches from many clients at once. One that gets no answer is not tried again; the next one is another. */
export function startTrackers(target: Target, mark: Mark): Trackers {
  const sent: Sent[] = []
  const agent = new Agent({ connections: CLIENTS })
  let isStopped = false
  const accepted = () => sent.filter(({ answer }) => answer !== undefined)
  const client = async (): Promise<void> => {
    while (!isStopped) {
      const batch: Sent = { key: randomUUID(), number: sent.length }
      sent.push(batch)
      const answer = await send(target, { mark, batch, agent }).catch(() => undefined)
      if (answer !== undefined) batch.answer = answer
      else await delay(50)
    }
  }
  const clients = Array.from({ length: CLIENTS }, client)
  return {
    sent,
    accepted,
    async more(count) {
      for (const enough = accepted().length + count; accepted().length < enough;) await delay(20)
    },
    async stop() {
      isStopped = true
      await Promise.all(clients)
      await agent.destroy()
    },
  }
}

/** Sends every batch again under its key, as a client does that never got its answer; the answers by batch. */
export async function sendAgain(target: Target, mark: Mark, sent: readonly Sent[]): Promise<unknown[]> {
  const agent = new Agent()
  const answers = await each(sent, (batch) => send(target, { mark, batch, agent }))
  await agent.destroy()
  return answers
}

/** How many of a mark's events ClickHouse has, and how many different ones. */
export async function storedOf(target: Target, { service }: Mark): Promise<{ events: number; different: number }> {
  const { data } = await ask(target, `/db/analytics/errors?service=${service}`, {})
  const [row] = (data as { rows: { errors: number; principals: number }[] }).rows // as the report `errors` has it
  return { events: row?.errors ?? 0, different: row?.principals ?? 0 }
}

/** Resolves when ClickHouse has everything that was tracked before: what is tracked last comes last. */
export async function settled(target: Target): Promise<void> {
  const last = { service: `last.${randomUUID()}` }
  const agent = new Agent()
  await send(target, { mark: last, batch: { key: randomUUID(), number: 0 }, agent })
  while ((await storedOf(target, last).catch(() => ({ events: 0 }))).events < BATCH) await delay(200)
  await agent.destroy()
}

async function send(target: Target, { mark, batch, agent }: { mark: Mark; batch: Sent; agent: Agent }): Promise<unknown> {
  const event = (_: unknown, index: number) => ({ type: 'call', ...mark, status: 500, principal: `${batch.number}.${index}` })
  const body = JSON.stringify({ events: Array.from({ length: BATCH }, event) })
  const { status, data } = await ask(target, '/db/events', { method: 'POST', body, headers: { 'idempotency-key': batch.key }, dispatcher: agent })
  if (status !== 200) throw new Error(`Tracking answered ${status}`)
  return data
}

async function ask({ url, adminKey }: Target, path: string, options: Parameters<typeof request>[1]): Promise<{ status: number; data: unknown }> {
  const headers = { ...(options?.headers as Record<string, string>), authorization: `Bearer ${adminKey}` } // this file's calls give an object or none
  const answer = await request(url.replace('localhost', '127.0.0.1') + path, { ...options, headers, headersTimeout: 20_000 })
  const { data } = (await answer.body.json()) as { data?: unknown }
  return { status: answer.statusCode, data }
}
