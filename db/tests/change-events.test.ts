import { encodeCursor } from '@dot-do/worker-utils'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { service } from '../src/service.ts'
import { feedOf, type Line } from './feed.ts'
import { binding, startDb, type DbInProcess } from './in-process.ts'

let running: DbInProcess
let feed: ReturnType<typeof feedOf>
let db: ReturnType<typeof bound>

const bound = () => binding(service, running.env, { principal: { id: 'writer', permissions: ['*'] } })

beforeAll(async () => {
  running = await startDb(['db'])
})
beforeEach(async () => {
  await running.database.reset()
  feed = feedOf(running)
  db = bound()
  await db.upsert({ $type: 'Note', $id: 'a', content: 'two\nlines\r\nand data: more' })
  await db.upsert({ $type: 'Task', $id: 'b' })
  await db.relate({ from: 'a', predicate: 'about', to: 'b' })
})
afterAll(() => running.close())

/** The blocks of an event stream up to and with so many that hold data or a comment. */
async function blocksOf(answer: Response, count: number): Promise<string[]> {
  const blocks: string[] = []
  let rest = ''
  for await (const chunk of (answer.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
    const parts = (rest + chunk).split('\n\n')
    rest = parts.pop() ?? ''
    blocks.push(...parts)
    if (blocks.filter((block) => /^(data|:)/m.test(block)).length >= count) break
  }
  return blocks
}

function told(block: string | undefined): Line {
  return JSON.parse(/^data: (.*)$/m.exec(block ?? '')?.[1] ?? 'null') as Line
}

describe('the feed as server-sent events', () => {
  it('names the kind of each change, carries it as one line, and its cursor as the event’s id', async () => {
    const answer = await feed.events('')
    const [beginning, first, second, third] = await blocksOf(answer, 3)

    expect(answer.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(answer.headers.get('cache-control')).toBe('no-cache, no-transform')
    expect(beginning).toBe(`retry: 1000\nid: ${encodeCursor(0)}`)
    expect(first?.split('\n')).toEqual([`id: ${told(first).cursor}`, 'event: thing', expect.stringMatching(/^data: /)])
    expect(told(first)).toMatchObject({ kind: 'thing', operation: 'upsert', thing: { $id: 'a', content: 'two\nlines\r\nand data: more' } })
    expect(told(second)).toMatchObject({ kind: 'thing', thing: { $id: 'b' } })
    expect(third?.split('\n')[1]).toBe('event: relationship')
    expect(told(third)).toMatchObject({ kind: 'relationship', operation: 'relate', relationship: { from: 'a', to: 'b' } })
  })

  it('goes on behind Last-Event-ID, whatever since says', async () => {
    const [, first] = await blocksOf(await feed.events(''), 1)

    const [, next] = await blocksOf(await feed.events('?since=now', { 'last-event-id': told(first).cursor }), 1)

    expect(told(next)).toMatchObject({ thing: { $id: 'b' } })
  })

  it('gives whoever asks for now a place to come back to before anything happened', async () => {
    const answer = await feed.events('?since=now', {}, { quietMs: 100 })
    const [beginning, quiet] = await blocksOf(answer, 1)
    const id = /^id: (.+)$/m.exec(beginning ?? '')?.[1] ?? ''
    await db.upsert({ $type: 'Note', $id: 'c' })

    const [, first] = await blocksOf(await feed.events('?since=now', { 'last-event-id': id }), 1)

    expect(quiet).toBe(`: heartbeat\nid: ${id}`)
    expect(told(first)).toMatchObject({ thing: { $id: 'c' } })
  })

  it.each(['?types=Task&types=Doc', '?types=Doc,Task', '?types=Task'])('of some types is asked for with %s', async (path) => {
    const [, first] = await blocksOf(await feed.events(path), 1)

    expect(told(first)).toMatchObject({ thing: { $id: 'b' } })
  })

  it.each([
    ['?since=abc', 'since'],
    ['?since=', 'since'],
    ['?types=', 'types.0'],
    ['?types=Note,%27', 'types.1'],
    ['?ns=UPPER', 'ns'],
  ])('refuses %s and names %s', async (path, name) => {
    await expect(feed.events(path)).rejects.toMatchObject({ code: 'INVALID', details: [{ path: name }] })
  })

  it('refuses a Last-Event-ID that is no cursor', async () => {
    await expect(feed.events('', { 'last-event-id': '7' })).rejects.toMatchObject({ code: 'INVALID', details: [{ path: 'since' }] })
  })
})
