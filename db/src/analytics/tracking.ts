import { callRow, eventBuffer, type EventLines } from '@dot-do/worker-data/tracking'
import type { Equipment } from '@dot-do/worker-kernel/implement'
import type { Env } from '../env.ts'
import type { EventSpool } from '../event-spool.ts'
import type { Piece } from './pieces.ts'

/** The one spool. A call for each isolate and second is what it gets of the platform's own events. */
export function spoolOf({ EventSpools }: Env): DurableObjectStub<EventSpool> {
  return EventSpools.getByName('events')
}

/** The operations that bring events: to track them as well would be a reason to track, and so on for ever. */
const BRINGS_EVENTS = new Set(['track', 'trackLines'])

const encoder = new TextEncoder()

/** Lines that other services wrote, as the spool takes them. */
export function pieceOf({ lines, events }: EventLines): Piece {
  return { lines: encoder.encode(lines), events }
}

const buffer = eventBuffer<Env>((lines, env) => spoolOf(env).append([pieceOf(lines)]))

/** Tracks db's own calls, which need no other Worker to get to the spool. */
export const observed: NonNullable<Equipment<Env>['observed']> = (what, call) => {
  if (!BRINGS_EVENTS.has(what.operation)) buffer(callRow('db', what, call), call)
}
