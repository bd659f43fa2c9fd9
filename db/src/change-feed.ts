import { parseChangesInput } from '@dot-do/worker-contracts/change'
import { demand } from '@dot-do/worker-kernel/identity'
import type { Call } from '@dot-do/worker-kernel/call'
import { decodeCursor, encodeCursor, log, namespaceFor, ServiceError, toServiceError } from '@dot-do/worker-utils'
import { ChangeFollower, type FeedTimes } from './change-follower.ts'
import { readEnd, type ToldChange } from './changes.ts'
import { connectionAs } from './database.ts'
import type { Env } from './env.ts'

const TIMES: FeedTimes = { quietMs: 15_000, lifeMs: 600_000, outageMs: 60_000 }

/** How one interface writes a feed. */
interface Wording {
  /** Said at once, with the cursor it begins after. */
  beginning(cursor: string): string
  change(change: ToldChange): string
  /** Said when it is quiet, with the cursor up to which all is told. */
  quiet(cursor: string): string
}

const LINES: Wording = {
  beginning: () => '',
  change: ({ json }) => `${json}\n`,
  quiet: (cursor) => `${JSON.stringify({ kind: 'heartbeat', cursor })}\n`,
}

/** An `id` without data moves a client's Last-Event-ID and is no event to it (https://html.spec.whatwg.org/multipage/server-sent-events.html#dispatchMessage). */
const EVENTS: Wording = {
  beginning: (cursor) => `retry: 1000\nid: ${cursor}\n\n`,
  change: ({ cursor, kind, json }) => `id: ${cursor}\nevent: ${kind}\ndata: ${json}\n\n`,
  quiet: (cursor) => `: heartbeat\nid: ${cursor}\n\n`,
}

const EVENT_HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-cache, no-transform',
  // Proxies of nginx's kind collect an answer before they hand it on unless told not to.
  'X-Accel-Buffering': 'no',
}

/** Answers `changes` over RPC: lines of JSON. */
export async function changeLines(input: unknown, call: Call<Env>, times = TIMES): Promise<ReadableStream<Uint8Array>> {
  return written(await follow(() => input, call, times), LINES)
}

/** Answers `GET /changes`: server-sent events. */
export async function changeEvents(request: Request, call: Call<Env>, times = TIMES): Promise<Response> {
  return new Response(written(await follow(() => asked(request), call, times), EVENTS), { headers: EVENT_HEADERS })
}

/** A client that comes back sends the address that it began with, and where it was. */
function asked({ url, headers }: Request): Record<string, unknown> {
  const { searchParams } = new URL(url)
  const types = searchParams.getAll('types').flatMap((names) => names.split(','))
  return {
    ns: searchParams.get('ns') ?? undefined,
    since: headers.get('Last-Event-ID') || (searchParams.get('since') ?? undefined),
    types: types.length > 0 ? types : undefined,
  }
}

/** Begins to follow what is asked for. What may be refused is refused here, before there is a stream. */
async function follow(gather: () => unknown, call: Call<Env>, times: FeedTimes): Promise<ChangeFollower> {
  demand(call.principal, 'things:read')
  try {
    const { ns: asked, since, types } = parseChangesInput(gather() ?? {})
    const ns = namespaceFor(call.principal, asked)
    const after = await beginning(since, ns, call.env)
    return new ChangeFollower({ ns, types }, { after, times }, call.env)
  } catch (thrown) {
    throw withoutCause(thrown, call)
  }
}

/** A cause that cannot be cloned would cost an error its code on the way over RPC, so it is logged here and stays. */
function withoutCause(thrown: unknown, { via, principal, requestId }: Call<Env>): ServiceError {
  const { code, message, details, cause } = toServiceError(thrown)
  if (cause !== undefined) log('error', 'operation_failed', { operation: 'changes', via, principal: principal.id, requestId, code, message, cause })
  return new ServiceError(code, message, { details })
}

async function beginning(since: string | undefined, ns: string, env: Env): Promise<number> {
  const after = since === undefined || since === 'now' ? 0 : positionOf(since)
  const { end, lastGiven } = await readEnd(await connectionAs('db', env), ns)
  // A place that is yet to come would be waited for, while what happens until then is lost.
  if (after > lastGiven) throw invalidSince()
  return since === 'now' ? end : after
}

function positionOf(cursor: string): number {
  try {
    return decodeCursor(cursor, isPosition)
  } catch {
    throw invalidSince()
  }
}

function isPosition(place: unknown): place is number {
  return Number.isSafeInteger(place) && Number(place) >= 0
}

function invalidSince(): ServiceError {
  return new ServiceError('INVALID', 'The cursor is not one of this feed', { details: [{ path: 'since', message: 'is not a cursor of this feed' }] })
}

/** Writes a feed as its reader takes it, never ahead. A bytes' stream, since no other crosses RPC. */
function written(follower: ChangeFollower, wording: Wording): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  return new ReadableStream({
    type: 'bytes',
    start(controller) {
      const text = wording.beginning(encodeCursor(follower.position))
      if (text !== '') controller.enqueue(encoder.encode(text))
    },
    async pull(controller) {
      const changes = await follower.next()
      if (changes === undefined) {
        controller.close()
        controller.byobRequest?.respond(0) // or a reader that brought a buffer would wait for ever
        return
      }
      const text = changes.length > 0 ? changes.map(wording.change).join('') : wording.quiet(encodeCursor(follower.position))
      controller.enqueue(encoder.encode(text))
    },
    cancel: () => follower.end(),
  })
}
