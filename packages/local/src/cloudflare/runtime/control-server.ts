import { timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as z from 'zod'
import { deliver, readAsset, residentOf, type ScriptSource } from './delivery.ts'
import type { Placements } from './placement.ts'
import type { PlacementAnswer } from './protocol.ts'

/** Who the server answers for. */
export interface ControlSettings {
  store: ScriptSource
  token: string
  placements: () => Placements
}

/** The Node side, as the platform's process and the shards reach it. */
export interface ControlServer {
  /** As `host:port`. */
  address: string
  close(): Promise<void>
}

const MAX_QUESTION_BYTES = 64 * 1_024

const Question = z.object({
  namespace: z.string(),
  name: z.string(),
  lost: z.object({ process: z.string(), dispatch: z.string() }).optional(),
})

/** Answers where scripts run, what they consist of, and what their assets hold, to whoever has the token. */
export async function startControlServer(settings: ControlSettings): Promise<ControlServer> {
  const server = createServer((request, response) => {
    answer(settings, request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500)
      response.end(error instanceof Error ? error.message : String(error))
    })
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => closed(server) }
}

async function answer(settings: ControlSettings, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (!isAllowed(settings.token, request.headers.authorization)) return void response.writeHead(403).end()
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://control')
  const script = { namespace: searchParams.get('namespace') ?? '', name: searchParams.get('name') ?? '' }
  if (pathname === '/place') return json(response, await place(settings, await bodyOf(request)))
  if (pathname === '/script') return json(response, await deliver(settings.store, script))
  if (pathname !== '/asset') return void response.writeHead(404).end()
  const bytes = await readAsset(settings.store, script, searchParams.get('path') ?? '')
  response.writeHead(bytes ? 200 : 404).end(bytes)
}

async function place({ store, placements }: ControlSettings, body: string): Promise<PlacementAnswer> {
  const { namespace, name, lost } = Question.parse(JSON.parse(body))
  const script = await store.getScript(namespace, name)
  return script ? placements().place(residentOf(script), lost) : { error: 'Worker not found.' }
}

function json(response: ServerResponse, value: unknown): void {
  if (value === undefined) response.writeHead(404).end()
  else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}

function isAllowed(token: string, header: string | undefined): boolean {
  const expected = Buffer.from(`Bearer ${token}`)
  const given = Buffer.from(header ?? '')
  return given.length === expected.length && timingSafeEqual(given, expected)
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of request) {
    sizeBytes += (chunk as Buffer).length
    if (sizeBytes > MAX_QUESTION_BYTES) throw new Error('The question is too long.')
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks).toString()
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
}
