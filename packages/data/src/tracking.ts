import type { Db } from '@dot-do/worker-contracts/db'
import type { Call } from '@dot-do/worker-kernel/call'
import type { Equipment } from '@dot-do/worker-kernel/implement'
import { generateId, log, toServiceError } from '@dot-do/worker-utils'
import { eventLine, type EventRow } from './event-line.ts'

/** What an env holds where calls can be tracked: db's `trackLines`, for which the binding needs `events:relay`. */
export interface HasTracking {
  DB_SERVICE: Pick<Db, 'trackLines'>
}

/** Some events, a line each. */
export type EventLines = Parameters<Db['trackLines']>[0]

/** Adds an event; it neither waits nor fails. The scene is where the event happened: whose env sends it, and what keeps that alive. */
export type EventBuffer<Env> = (row: EventRow, scene: Pick<Call<Env>, 'env' | 'waitUntil'>) => void

type Observer<Env> = NonNullable<Equipment<Env>['observed']>

/** So many events are sent without waiting for more. */
const MAX_EVENTS = 256

/** Events wait this long for others. */
const WAIT_MS = 1_000

/** Tracks every call of a service, for `implement`. */
export function trackCalls<Env extends HasTracking>(service: string): Observer<Env> {
  const buffer = trackedBuffer<Env>()
  return (what, call) => buffer(callRow(service, what, call), call)
}

/** A buffer of events that db gets. */
export function trackedBuffer<Env extends HasTracking>(): EventBuffer<Env> {
  return eventBuffer((lines, { DB_SERVICE }) => DB_SERVICE.trackLines(lines))
}

/**
 * Gathers events of an isolate, at most MAX_EVENTS and for at most WAIT_MS, and sends them behind whatever is being answered. They are written as lines at once:
 * a text crosses RPC at a tenth of what the objects cost. What cannot be sent is lost and logged; what waits when the isolate ends is lost without a word.
 */
export function eventBuffer<Env>(send: (lines: EventLines, env: Env) => Promise<unknown>): EventBuffer<Env> {
  let [batch, lines, events] = ['', '', 0]
  /** When the sending that was begun last is due. It may never come, if the request that began it is cut off; then the next event begins another. */
  let dueAt = 0
  const flush = async (env: Env): Promise<void> => {
    const taken = { lines, events }
    lines = ''
    events = 0
    if (taken.events === 0) return
    await send(taken, env).catch((thrown: unknown) => {
      const { code, message, details } = toServiceError(thrown)
      log('warn', 'events_lost', { count: taken.events, code, message, details })
    })
  }
  return (row, { env, waitUntil }) => {
    if (events === 0) batch = generateId('evt')
    lines += eventLine(batch, events, row)
    events += 1
    if (events >= MAX_EVENTS) return waitUntil(flush(env))
    const now = Date.now()
    if (now < dueAt) return
    dueAt = now + WAIT_MS
    waitUntil(new Promise((resolve) => setTimeout(resolve, WAIT_MS)).then(() => flush(env)))
  }
}

/** A call as an event, which began when it did and belongs to its principal's namespace. */
export function callRow(service: string, { operation, status, durationMs }: Parameters<Observer<never>>[0], { principal, via, requestId }: Call): EventRow {
  const { id, tenant } = principal
  return {
    type: 'call',
    at: Date.now() - durationMs,
    ns: tenant,
    service,
    operation,
    principal: id,
    via,
    status,
    duration_ms: durationMs,
    request_id: requestId,
  }
}
