import * as z from 'zod'
import { CloudflareError } from '../errors.ts'
import { readJson } from './body.ts'
import type { Call, Route, TailSource } from './context.ts'
import { succeed } from './envelope.ts'
import { TailFilter } from './tail-filter.ts'
import type { TailSession } from './tail-sessions.ts'
import { scriptOf } from './targets.ts'

/** Where WebSockets of tails are opened. */
export const TAIL_PATH = '/client/v4/tails/'

/** How many events wait for a slow reader of a stream; later ones are dropped. */
const MOST_WAITING = 1000

const Filters = z.object({ filters: z.array(TailFilter).max(20).default([]) })

/** Logs of a script: over a WebSocket as `wrangler tail` wants them, and, which Cloudflare does not have, as server-sent events. */
export function tailRoutes(one: string): Route[] {
  return [
    ['GET', `${one}/tails`, list],
    ['POST', `${one}/tails`, start],
    ['DELETE', `${one}/tails/:tail`, end],
    ['GET', `${one}/logs`, stream],
  ]
}

async function list(call: Call): Promise<Response> {
  const { namespace, name } = await scriptOf(call)
  return succeed(call.context.tailSessions.list(namespace, name).map((session) => shown(session, call.url)))
}

async function start(call: Call): Promise<Response> {
  sourceOf(call)
  const { namespace, name } = await scriptOf(call)
  const { filters } = await readJson(call.request, Filters)
  return succeed(shown(call.context.tailSessions.start({ namespace, name, filters }), call.url))
}

async function end(call: Call): Promise<Response> {
  const { namespace, name } = await scriptOf(call)
  const id = call.params['tail'] ?? ''
  const session = call.context.tailSessions.find(id)
  if (session?.namespace !== namespace || session.name !== name) throw new CloudflareError(404, 10_057, 'This tail does not exist')
  call.context.tailSessions.end(id)
  return succeed(null)
}

async function stream(call: Call): Promise<Response> {
  const source = sourceOf(call)
  const { namespace, name } = await scriptOf(call)
  let unsubscribe = (): void => {}
  const events = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        controller.enqueue(Buffer.from(': connected\n\n'))
        unsubscribe = source.subscribe(namespace, name, (event) => {
          if ((controller.desiredSize ?? 0) > 0) controller.enqueue(Buffer.from(`data: ${JSON.stringify(event)}\n\n`))
        })
      },
      cancel: () => unsubscribe(),
    },
    new CountQueuingStrategy({ highWaterMark: MOST_WAITING }),
  )
  const headers = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' }
  return new Response(events, { headers })
}

function sourceOf({ context }: Call): TailSource {
  if (context.tail === undefined) throw new CloudflareError(501, 10_013, 'Nothing here runs scripts, so there are no logs to tail')
  return context.tail
}

function shown({ id, expiresAt }: TailSession, { host }: URL): object {
  return { id, url: `ws://${host}${TAIL_PATH}${id}`, expires_at: new Date(expiresAt).toISOString() }
}
