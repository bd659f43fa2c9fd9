import { Change } from '@dot-do/worker-contracts/change'
import { callOf } from '@dot-do/worker-kernel/call'
import { changeEvents, changeLines } from '../src/change-feed.ts'
import type { FeedTimes } from '../src/change-follower.ts'
import { ChangeWaiters } from '../src/change-waiters.ts'
import { readLatest } from '../src/changes.ts'
import { connectionAs } from '../src/database.ts'
import type { Env } from '../src/env.ts'
import type { DbInProcess } from './in-process.ts'

/** One line of a feed, of whatever kind. */
export interface Line {
  cursor: string
  kind: string
  operation?: string
  thing?: { $id: string; $type: string; version: number; content: string }
  relationship?: { from: string; predicate: string; to: string }
}

/** A feed as its reader has it. */
export interface Reader {
  /** What one read gives: the lines of a chunk, or undefined at the end. */
  read(): Promise<Line[] | undefined>
  /** So many lines, heartbeats left out. */
  changes(count: number): Promise<Line[]>
  cancel(): Promise<void>
}

const TIMES: FeedTimes = { quietMs: 10_000, lifeMs: 20_000, outageMs: 10_000 }

/** The feed in this process. The watch is the one that its Durable Object wraps, looking at the same database. */
export function feedOf(running: DbInProcess) {
  let failedLooks = 0
  const waiters = new ChangeWaiters(async (after, namespaces) => {
    try {
      return await readLatest(await connectionAs('db', env), after, namespaces)
    } catch (error) {
      failedLooks += 1
      throw error
    }
  })
  const env: Env = { ...running.env, ChangeWatches: { getByName: () => waiters } as unknown as Env['ChangeWatches'] } // of a namespace the feed uses nothing else
  const call = ({ tenant = 'default', permissions = ['things:read'] } = {}) =>
    callOf({ env, props: { principal: { id: 'reader', tenant, permissions } }, waitUntil: () => undefined }, 'rpc')
  return {
    waiters,
    failedLooks: () => failedLooks,
    call,
    async follow(input: unknown, who: Parameters<typeof call>[0] = {}, times: Partial<FeedTimes> = {}): Promise<Reader> {
      return readerOf(await changeLines(input, call(who), { ...TIMES, ...times }))
    },
    async events(path: string, headers: Record<string, string> = {}, times: Partial<FeedTimes> = {}): Promise<Response> {
      return changeEvents(new Request(`https://db.do/changes${path}`, { headers }), call(), { ...TIMES, ...times })
    },
  }
}

/** Every line is checked against the contract. */
function readerOf(stream: ReadableStream<Uint8Array>): Reader {
  const reader = stream.getReader()
  const rest: Line[] = []
  const read = async (): Promise<Line[] | undefined> => {
    const { value, done } = await reader.read()
    if (done) return undefined
    const lines = new TextDecoder().decode(value).split('\n').slice(0, -1)
    return lines.map((line) => {
      const told = JSON.parse(line) as Line
      if (told.kind !== 'heartbeat') Change.parse(told)
      return told
    })
  }
  return {
    read,
    async changes(count) {
      while (rest.length < count) {
        const lines = await read()
        if (!lines) throw new Error(`The feed ended after ${rest.length} of ${count} lines`)
        rest.push(...lines.filter(({ kind }) => kind !== 'heartbeat'))
      }
      return rest.splice(0, count)
    },
    cancel: () => reader.cancel(),
  }
}
