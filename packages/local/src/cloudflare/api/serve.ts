import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { Readable, type Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { openApi, type CloudflareApi } from './api.ts'
import type { CloudflareApiOptions } from './context.ts'
import { passes } from './tail-filter.ts'
import { TAIL_PATH } from './tails.ts'
import { acceptWebSocket } from './websocket.ts'

/** What `wrangler tail` asks for, and hangs up without. */
const TAIL_PROTOCOL = 'trace-v1'

/** How long a client may take to send a request. */
const REQUEST_MS = 120_000

/** A running API. */
export interface CloudflareApiServer {
  /** For `CLOUDFLARE_API_BASE_URL`. */
  url: string
  /** Ends open requests and tails too. */
  close(): Promise<void>
}

/** Serves the API on 127.0.0.1. Port 0 takes a free one. */
export async function serveCloudflareApi({ port, ...options }: CloudflareApiOptions & { port: number }): Promise<CloudflareApiServer> {
  const api = openApi(options)
  const server = createServer({ requestTimeout: REQUEST_MS }, (request, response) => void answer(api, request, response))
  server.on('upgrade', (request, socket) => openTail(api, request, socket))
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${portOf(server)}/client/v4`, close: () => close(server, api) }
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function close(server: Server, { context }: CloudflareApi): Promise<void> {
  context.tailSessions.endAll()
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await closed
}

async function answer({ respond, context }: CloudflareApi, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  try {
    const response = await respond(requestOf(incoming))
    outgoing.writeHead(response.status, Object.fromEntries(response.headers))
    if (response.body === null) return void outgoing.end()
    await pipeline(Readable.fromWeb(response.body), outgoing)
  } catch (error) {
    // Who hangs up, a log's reader for one, is no failure of the API.
    if (!incoming.socket.destroyed) context.onError?.(error)
    outgoing.destroy()
  }
}

function requestOf(incoming: IncomingMessage): Request {
  const { method = 'GET', headers, url = '/' } = incoming
  const entries = Object.entries(headers).flatMap(([name, value]) => [value ?? []].flat().map((one): [string, string] => [name, one]))
  const body = method === 'GET' || method === 'HEAD' ? null : Readable.toWeb(incoming)
  return new Request(new URL(url, `http://${incoming.socket.localAddress}:${incoming.socket.localPort}`), { method, headers: entries, body, duplex: 'half' })
}

/** The id in the path is the right to listen. */
function openTail({ context }: CloudflareApi, request: IncomingMessage, socket: Duplex): void {
  const id = request.url?.startsWith(TAIL_PATH) ? request.url.slice(TAIL_PATH.length) : ''
  const session = context.tailSessions.find(id)
  const asked = String(request.headers['sec-websocket-protocol']).split(/, */)
  if (session === undefined || context.tail === undefined || !request.headers['sec-websocket-key'] || !asked.includes(TAIL_PROTOCOL)) {
    socket.on('error', () => socket.destroy())
    return void socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
  }
  let unsubscribe = (): void => {}
  const telling = acceptWebSocket(request, socket, { protocol: TAIL_PROTOCOL, onEnd: () => unsubscribe() })
  unsubscribe = context.tail.subscribe(session.namespace, session.name, (event) => {
    if (passes(event, session.filters, Math.random)) telling.send(JSON.stringify(event))
  })
  session.close = telling.close
}
