import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'
import type { IncomingMessage, OutgoingHttpHeaders, Server, ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { queryId } from './engine.ts'
import type { Answer, Engine } from './engine.ts'
import { readInsertion } from './insertion.ts'
import { refusal, refusalOf } from './refusal.ts'
import { readBody, readCredential, readHead } from './request.ts'
import type { RequestHead } from './request.ts'
import type { Role } from './vetting.ts'

/** What the server needs: the engine it serves, and its two users' passwords. */
export interface AnalyticsServerOptions {
  engine: Engine
  users: Readonly<Record<string, { password: string; role: Role }>>
  /** 0 takes a free port. */
  port: number
}

/** A listening server. */
export interface AnalyticsServer {
  port: number
  /** Stops listening and resolves when the last query has been answered. Leaves the engine open. */
  close(): Promise<void>
}

/**
 * Serves an engine on 127.0.0.1 as ClickHouse's HTTP interface does: `GET /ping`; queries in `query`, in the body or in both; errors in ClickHouse's words with its
 * codes. Bodies end at 64 MiB. There are no sessions, no roles and no blocks compressed in ClickHouse's own way.
 */
export async function startAnalyticsServer({ engine, users, port }: AnalyticsServerOptions): Promise<AnalyticsServer> {
  const known = new Map(Object.entries(users).map(([user, { password, role }]) => [user, { digest: digest(password), role }]))
  const server = createServer((request, response) => {
    answer({ request, response }, engine, known).catch((error: unknown) => refuse({ request, response }, error, engine.version))
  })
  server.keepAliveTimeout = 60_000
  return { port: await listen(server, port), close: () => close(server) }
}

type Users = ReadonlyMap<string, { digest: Buffer; role: Role }>

interface Exchange {
  request: IncomingMessage
  response: ServerResponse
}

async function answer({ request, response }: Exchange, engine: Engine, users: Users): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
  if (pathname === '/ping') return send(response, { body: Buffer.from('Ok.\n') })
  if (pathname !== '/') return send(response, { status: 404, body: Buffer.from(`There is no handle ${pathname}\n\nUse / or /ping for health checks.\n`) })
  if (request.method !== 'GET' && request.method !== 'POST') return send(response, { status: 501, body: Buffer.from('Use GET or POST\n') })
  const role = roleOf(readCredential(request, searchParams), users)
  const head = readHead(request, searchParams, engine.executionLimitSeconds)
  const body = await readBody(request)
  if (head.query === undefined && body.length === 0) return send(response, { body: Buffer.from('Ok.\n') })
  const result = await run(engine, { head, body, role }, request.method === 'GET')
  const wanted = head.wantsCompression ? await promisify(gzip)(result.body) : result.body
  send(response, { body: wanted, headers: { ...headersOf(result, head), ...(head.wantsCompression ? { 'content-encoding': 'gzip' } : {}) } })
}

interface Asked {
  head: RequestHead
  body: Buffer
  role: Role
}

async function run(engine: Engine, { head, body, role }: Asked, isGet: boolean): Promise<Answer & { written?: { rows: number; bytes: number } }> {
  const insertion = readInsertion(head.query, body)
  if (!insertion) {
    const text = [head.query, body.toString()].filter((part) => part !== undefined && part !== '').join('\n')
    return engine.run({ text, role, parameters: head.parameters, settings: isGet ? [...head.settings, '--readonly=2'] : head.settings, format: head.format })
  }
  if (isGet)
    throw refusal(
      'READONLY',
      'Cannot execute query in readonly mode. For queries over HTTP, method GET implies readonly. You should use method POST for modifying queries',
    )
  const written = await engine.insert(insertion, head.settings)
  return { format: insertion.format, body: Buffer.alloc(0), elapsedSeconds: written.elapsedSeconds, rows: 0, bytes: 0, written }
}

/** Answers an unknown user and a wrong password alike, in the same time. */
function roleOf({ user, password }: { user: string; password: string }, users: Users): Role {
  const known = users.get(user)
  if (timingSafeEqual(digest(password), known?.digest ?? Buffer.alloc(32)) && known) return known.role
  throw refusal('AUTHENTICATION_FAILED', `${user.slice(0, 64)}: Authentication failed: password is incorrect, or there is no user with such name.`)
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** Formats that ClickHouse answers with a type of their own; the rest is text. */
const TYPES: [names: RegExp, type: string][] = [
  [/^JSON.*EachRow/, 'application/x-ndjson; charset=UTF-8'],
  [/^JSON/, 'application/json; charset=UTF-8'],
  [/^CSV/, 'text/csv; charset=UTF-8; header=absent'],
  [/^(TSV|TabSeparated)/, 'text/tab-separated-values; charset=UTF-8'],
  [/^(Native|RowBinary|Parquet|Arrow|ORC|Avro|MsgPack)/, 'application/octet-stream'],
]

function headersOf({ format, elapsedSeconds, rows, bytes, written }: Awaited<ReturnType<typeof run>>, head: RequestHead): OutgoingHttpHeaders {
  const summary = {
    read_rows: rows,
    read_bytes: bytes,
    written_rows: written?.rows ?? 0,
    written_bytes: written?.bytes ?? 0,
    total_rows_to_read: 0,
    result_rows: written?.rows ?? rows,
    result_bytes: written?.bytes ?? bytes,
    elapsed_ns: Math.round(elapsedSeconds * 1e9),
  }
  return {
    'content-type': TYPES.find(([names]) => names.test(format))?.[1] ?? 'text/plain; charset=UTF-8',
    'X-ClickHouse-Format': format,
    'X-ClickHouse-Query-Id': safe(head.queryId) ?? queryId(),
    'X-ClickHouse-Summary': JSON.stringify(Object.fromEntries(Object.entries(summary).map(([name, value]) => [name, String(value)]))),
  }
}

/** A header holds no control characters. */
const safe = (text: string | undefined): string | undefined => (text !== undefined && /^[\x20-\x7e]{1,256}$/.test(text) ? text : undefined)

function refuse({ request, response }: Exchange, error: unknown, version: string): void {
  if (response.headersSent) return void response.destroy()
  const told = refusalOf(error)
  // What is still coming is read and dropped, so that the client gets to see the answer.
  request.resume()
  send(response, { status: told.status, body: Buffer.from(told.toText(version)), headers: { 'X-ClickHouse-Exception-Code': String(told.code) } })
}

interface Sent {
  status?: number
  body: Uint8Array
  headers?: OutgoingHttpHeaders
}

function send(response: ServerResponse, { status = 200, body, headers = {} }: Sent): void {
  const common = { 'content-type': 'text/plain; charset=UTF-8', 'X-ClickHouse-Server-Display-Name': 'embedded', 'X-ClickHouse-Timezone': 'UTC' }
  response.writeHead(status, { ...common, ...headers, 'content-length': body.length }).end(body)
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host: '127.0.0.1', backlog: 2048 }, () => {
      const address = server.address()
      if (address === null || typeof address === 'string') reject(new Error('The server has no port'))
      else resolve(address.port)
    })
  })
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    // A connection is idle only once its answer is read, and would then be kept for a minute.
    const sweep = setInterval(() => server.closeIdleConnections(), 50)
    server.close(() => {
      clearInterval(sweep)
      resolve()
    })
  })
}
