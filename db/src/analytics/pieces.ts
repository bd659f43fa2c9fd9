import type { TrackedEvent } from '@dot-do/worker-contracts/analytics'
import { eventLine, type EventRow } from '@dot-do/worker-data/event-line'
import { ServiceError } from '@dot-do/worker-utils'
import type * as z from 'zod'

/** An event as `track` takes it. */
export type Event = z.output<typeof TrackedEvent>

/** Some events as lines of JSON, in UTF-8. */
export interface Piece {
  lines: Uint8Array
  events: number
}

/** What an event says by being tracked, where it does not say it itself. */
export interface Tracking {
  /** What the events' ids begin with. */
  batch: string
  ns: string
  principal: string
  /** When it was tracked, in milliseconds since 1970. */
  at: number
}

/** A piece is cut after so many characters: whatever they are, it stays below the 2 MB that a value may have in a Durable Object. */
const PIECE_CHARACTERS = 262_144

/** An event's `data`, as JSON. */
const DATA_CHARACTERS = 16_384

/** What ClickHouse's DateTime64 can hold. */
const [EARLIEST, LATEST] = [Date.UTC(1900), Date.UTC(2299)]

const encoder = new TextEncoder()

/** Writes events as lines. INVALID, naming the event's field, for a time or a size that cannot be kept. */
export function piecesOf(events: Event[], tracking: Tracking): Piece[] {
  const pieces: Piece[] = []
  let [lines, counted] = ['', 0]
  for (const [index, event] of events.entries()) {
    lines += eventLine(tracking.batch, index, rowOf(event, index, tracking))
    counted += 1
    if (lines.length < PIECE_CHARACTERS && index < events.length - 1) continue
    pieces.push({ lines: encoder.encode(lines), events: counted })
    lines = ''
    counted = 0
  }
  return pieces
}

function rowOf({ type, at, service, operation, status, principal, requestId, durationMs, data }: Event, index: number, tracking: Tracking): EventRow {
  return {
    type,
    at: at === undefined ? tracking.at : timeOf(at, index),
    ns: tracking.ns,
    service,
    operation,
    principal: principal ?? tracking.principal,
    status,
    duration_ms: durationMs,
    request_id: requestId,
    data: data && dataOf(data, index),
  }
}

function timeOf(at: string, index: number): number {
  const time = Date.parse(at)
  if (time >= EARLIEST && time < LATEST) return time
  throw invalid(`events.${index}.at`, 'must be between the years 1900 and 2299')
}

function dataOf(data: Record<string, unknown>, index: number): string {
  const json = JSON.stringify(data)
  if (json.length <= DATA_CHARACTERS) return json
  throw invalid(`events.${index}.data`, `must have at most ${DATA_CHARACTERS} characters as JSON`)
}

function invalid(path: string, message: string): ServiceError {
  return new ServiceError('INVALID', 'The input does not fit', { details: [{ path, message }] })
}
