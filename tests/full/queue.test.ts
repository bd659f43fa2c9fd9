import type { DbMessage } from '@dot-do/worker-contracts/db'
import type { ExtraWorker } from '@dot-do/worker-local/host/miniflare-options'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { adminFetch, bootPlatform, type BootedPlatform } from './platform.ts'

/** Puts what it is sent into db's queue, and tells which messages have come to the dead letter queue since it started. */
const POST_OFFICE: ExtraWorker = {
  name: 'post-office',
  source: `
const dead = []
export default {
  async fetch(request, env) {
    if (request.method === 'GET') return Response.json(dead)
    await env.DB_QUEUE.sendBatch((await request.json()).map((body) => ({ body })))
    return new Response(null, { status: 202 })
  },
  async queue(batch) {
    for (const message of batch.messages) dead.push(message.body)
  },
}`,
  queues: { DB_QUEUE: 'db' },
  consumes: ['db-dlq'],
  listens: true,
}

const WRITER = { id: 'key_writer', kind: 'key', tenant: 'default', permissions: ['things:write'] } as const

let platform: BootedPlatform

beforeAll(async () => {
  platform = await bootPlatform({ extraWorkers: [POST_OFFICE] })
})
afterAll(() => platform.stop())

/** A message that writes a note, in the name of whoever may. */
function upsertOf(id: string, content: string, message: Partial<DbMessage> = {}): DbMessage {
  return { id: `msg_${id}`, operation: 'upsert', input: { $type: 'Note', $id: `note/${id}`, content }, principal: WRITER, ...message } as DbMessage // the parts fit each other
}

async function send(messages: unknown[]): Promise<void> {
  const { status } = await fetch(platform.workerUrls['post-office'] ?? '', { method: 'POST', body: JSON.stringify(messages) })
  expect(status).toBe(202)
}

async function deadLetters(): Promise<unknown[]> {
  return (await (await fetch(platform.workerUrls['post-office'] ?? '')).json()) as unknown[]
}

async function statusOf(id: string): Promise<number> {
  return (await adminFetch(platform, `/db/things/note/${id}`)).status
}

async function historyOf(id: string): Promise<{ version: number; content: string; actor: string }[]> {
  const { data } = (await (await adminFetch(platform, `/db/history/note/${id}`)).json()) as {
    data: { items: { version: number; content: string; actor: string }[] }
  }
  return data.items
}

const eventually = (assertion: () => Promise<void>): Promise<void> => vi.waitFor(assertion, { timeout: 120_000, interval: 100 })

describe('db’s queue', () => {
  it('does a message in its sender’s name', async () => {
    await send([upsertOf('sent', 'Hi')])

    await eventually(async () => expect(await statusOf('sent')).toBe(200))
    expect(await historyOf('sent')).toMatchObject([{ version: 1, content: 'Hi', actor: 'key_writer' }])
  })

  it('does it once, though it comes again after the thing has changed', async () => {
    await send([upsertOf('once', 'first')])
    await eventually(async () => expect(await statusOf('once')).toBe(200))
    await adminFetch(platform, '/db/things', { $type: 'Note', $id: 'note/once', content: 'changed since' })

    await send([upsertOf('once', 'first'), upsertOf('after', 'sent behind it')])
    await eventually(async () => expect(await statusOf('after')).toBe(200))

    expect(await historyOf('once')).toMatchObject([
      { version: 2, content: 'changed since' },
      { version: 1, content: 'first' },
    ])
  })

  it.concurrent.each([
    ['is no message', () => ({ poison: 'no message at all' })],
    ['names an operation that takes none', () => upsertOf('x', '', { id: 'msg_execute', operation: 'execute' as 'upsert' })],
    ['has an input that does not fit', () => ({ ...upsertOf('poison', ''), id: 'msg_input', input: { $type: 7 } })],
    ['reuses an id for something else', () => ({ ...upsertOf('sent', 'other'), id: 'msg_sent' })],
  ])('sets a message aside that %s, and does those behind it', async (name, poison) => {
    const behind = name.replaceAll(' ', '-')

    await send([poison(), upsertOf(behind, 'behind the poison')])

    await eventually(async () => expect(await statusOf(behind)).toBe(200))
    await eventually(async () => expect(await deadLetters()).toContainEqual(poison()))
  })

  it.concurrent.each([
    ['lacks the permission', { ...WRITER, permissions: ['things:read'] }],
    ['is nobody', { ...WRITER, kind: 'anonymous', permissions: ['*'] }],
  ])('changes nothing for a sender that %s', async (name, principal) => {
    const id = name.replaceAll(' ', '-')

    await send([upsertOf(id, 'forbidden', { principal } as Partial<DbMessage>)])

    await eventually(async () => expect(await deadLetters()).toContainEqual(expect.objectContaining({ id: `msg_${id}` })))
    expect(await statusOf(id)).toBe(404)
  })
})
