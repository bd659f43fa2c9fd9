import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { Agent, request } from 'undici'

/** A write that was sent, and what it was answered if it was. The thing's id is the platform's to choose, so doing it twice would make two things. */
export interface Write {
  key: string
  type: string
  content: string
  acknowledged?: Acknowledged
}

/** A thing as the platform answered that it wrote it. */
export interface Acknowledged {
  $id: string
}

/** Clients that write things one after another until they are told to stop. */
export interface Writers {
  /** Every write that was sent, in the order they were. */
  sent: Write[]
  acknowledged(): Write[]
  /** Resolves when so many more writes have been acknowledged. */
  more(count: number): Promise<void>
  /** Resolves when the last answer has come, or will not; a second time is harmless. */
  stop(): Promise<void>
}

const CLIENTS = 12

/** Where to write, and with whose key. */
export interface Target {
  url: string
  adminKey: string
}

/** Writes things of one type from many clients at once. A request that fails is not tried again; the next one is another thing's. */
export function startWriters({ url, adminKey }: Target, type: string): Writers {
  const agent = new Agent({ connections: CLIENTS })
  const sent: Write[] = []
  const waiting = new Set<() => void>()
  let isStopped = false
  const acknowledged = () => sent.filter((write) => write.acknowledged !== undefined)
  const client = async (): Promise<void> => {
    while (!isStopped) {
      const write: Write = { key: randomUUID(), type, content: `written ${sent.length}` }
      sent.push(write)
      const answer = await upsert({ url, adminKey }, write, agent).catch(() => undefined)
      if (answer?.status === 201) write.acknowledged = answer.data as Acknowledged // what a thing's POST answers with 201
      for (const look of waiting) look()
      // While nothing answers, refusals come faster than anybody would ask again.
      if (answer === undefined) await delay(50)
    }
  }
  const clients = Array.from({ length: CLIENTS }, client)
  return {
    sent,
    acknowledged,
    more(count) {
      const enough = acknowledged().length + count
      return new Promise((resolve) => {
        const look = (): void => {
          if (acknowledged().length < enough) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
      })
    },
    async stop() {
      isStopped = true
      await Promise.all(clients)
      await agent.destroy()
    },
  }
}

/** Sends a write, with the idempotency key it always has. */
export async function upsert(target: Target, { key, type, content }: Write, dispatcher = new Agent()): Promise<{ status: number; data: unknown }> {
  const body = JSON.stringify({ $type: type, content })
  return ask(target, '/db/things', { method: 'POST', body, headers: { 'idempotency-key': key }, dispatcher })
}

/** What a GET of the target answers. */
export async function read(target: Target, path: string): Promise<{ status: number; data: unknown }> {
  return ask(target, path, {})
}

async function ask({ url, adminKey }: Target, path: string, options: Parameters<typeof request>[1]): Promise<{ status: number; data: unknown }> {
  const headers = { ...(options?.headers as Record<string, string>), authorization: `Bearer ${adminKey}` } // this file's calls give an object or none
  const answer = await request(url.replace('localhost', '127.0.0.1') + path, { ...options, headers, headersTimeout: 20_000 })
  const { data } = (await answer.body.json()) as { data?: unknown }
  return { status: answer.statusCode, data }
}

/** Runs over a list, at most a dozen at once; results in the list's order. */
export async function each<Item, Result>(items: readonly Item[], run: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = []
  const rest = items.entries()
  const lane = async (): Promise<void> => {
    for (const [index, item] of rest) results[index] = await run(item)
  }
  await Promise.all(Array.from({ length: CLIENTS }, lane))
  return results
}
