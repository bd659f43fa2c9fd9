import { toDatabaseError } from '@dot-do/worker-data/engines/engine'
import type { DatabaseError, Engine, Result } from '@dot-do/worker-data/engines/engine'
import type { SessionEngine } from '@dot-do/worker-data/engines/session'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import type { Server as TcpServer } from 'node:net'
import type { Duplex } from 'node:stream'
import { Passwords } from './passwords.ts'
import { relay, upstreamOf } from './relay.ts'
import { malformed, readSqlRequest } from './request.ts'
import { acceptWebSocket } from './websocket.ts'
import { WireServer } from './wire-session.ts'

const maxBodyBytes = 8 * 1024 * 1024

/** What the server needs: the engine it serves, who may ask, and the secret their passwords are derived from. */
export interface DatabaseServerOptions {
  /** One that has sessions is also spoken to in PostgreSQL's own protocol. */
  engine: Engine | SessionEngine
  /** Whose roles may connect. The owner is none of them. */
  services: readonly { name: string }[]
  roleSecret: string
  /** 0, the default, takes a free port. */
  port?: number
  /** Where PostgreSQL's own protocol is spoken over TCP; 0, the default, takes a free port. Without effect for an engine without sessions. */
  postgresPort?: number
  /** The PostgreSQL that WebSockets lead to, for an engine without sessions. */
  upstreamUrl?: string
}

/** A listening server. */
export interface DatabaseServer {
  port: number
  /** Where PostgreSQL's own protocol is spoken over TCP; 0 for an engine without sessions, whose clients go to the server itself. */
  postgresPort: number
  /** Lets further services' roles connect. */
  admit(services: readonly { name: string }[]): Promise<void>
  /** Stops listening, ends open connections and resolves when the last batch has been answered. Leaves the engine open. */
  close(): Promise<void>
}

/**
 * Serves an engine on 127.0.0.1 as Neon does. `POST /sql` takes one query or an atomic batch, and answers errors as 400 with PostgreSQL's fields; a WebSocket at `/v2`
 * carries PostgreSQL's wire protocol, which an engine with sessions also speaks on a port of its own. The user is the role in each case.
 * `GET /health` answers once the engine does. Bodies end at 8 MiB, answers at 32 MiB.
 */
export async function startDatabaseServer(options: DatabaseServerOptions): Promise<DatabaseServer> {
  const { engine, upstreamUrl } = options
  const passwords = new Passwords(options.roleSecret)
  await passwords.admit(options.services)
  const wire = 'session' in engine ? new WireServer(engine, passwords) : undefined
  const upstream = upstreamUrl === undefined ? undefined : upstreamOf(upstreamUrl)
  const server = createServer((request, response) => {
    answer({ request, response }, engine, passwords).catch((error: unknown) => refuse(response, toDatabaseError(error)))
  })
  server.keepAliveTimeout = 60_000
  const open = wire ? (stream: Duplex) => wire.serve(stream) : upstream && ((stream: Duplex) => relay(stream, upstream))
  const sockets = new Set<Duplex>()
  server.on('upgrade', (request, socket, head) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.once('close', () => sockets.delete(socket))
    if (!open || !isWebSocket(request)) return void socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n')
    void open(acceptWebSocket(request, socket, head))
  })
  const tcp = wire && createTcpServer({ noDelay: true }, (socket) => void wire.serve(socket))
  const port = await listen(server, options.port ?? 0)
  const postgresPort = tcp ? await listen(tcp, options.postgresPort ?? 0) : 0
  const close = async (): Promise<void> => {
    const closed = [endOf(server), ...(tcp ? [endOf(tcp)] : [])]
    server.closeIdleConnections()
    wire?.close()
    for (const socket of sockets) socket.destroy()
    await Promise.all(closed)
  }
  return { port, postgresPort, admit: (services) => passwords.admit(services), close }
}

function isWebSocket({ url, headers }: IncomingMessage): boolean {
  return url?.split('?', 1)[0] === '/v2' && headers.upgrade?.toLowerCase() === 'websocket' && headers['sec-websocket-key'] !== undefined
}

interface Exchange {
  request: IncomingMessage
  response: ServerResponse
}

async function answer({ request, response }: Exchange, engine: Engine, passwords: Passwords): Promise<void> {
  const route = `${request.method} ${request.url?.split('?', 1)[0]}`
  if (route === 'GET /health') {
    await engine.batch(null, [{ sql: 'select 1', params: [] }])
    return send(response, 200, { status: 'ok' })
  }
  if (route !== 'POST /sql') return send(response, 404, { message: `No ${route}; there is POST /sql and GET /health` })
  const sql = readSqlRequest(request.headers, await readBody(request))
  passwords.demand(sql.role, sql.password)
  const results = (await engine.batch(sql.role, sql.statements, sql.options)).map(toNeon)
  send(response, 200, sql.isBatch ? { results } : results[0])
}

function readBody(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      // The rest is read and dropped: a client that is still sending would see a broken connection instead of the reason.
      if (size <= maxBodyBytes) chunks.push(chunk)
    })
    request.on('error', reject)
    request.on('end', () => {
      const [first] = chunks
      if (size > maxBodyBytes) return reject(malformed(`The body is larger than ${maxBodyBytes} bytes`))
      resolve((first && chunks.length === 1 ? first : Buffer.concat(chunks)).toString('utf8'))
    })
  })
}

const toNeon = (result: Result): object => ({ ...result, rowAsArray: true })

function refuse(response: ServerResponse, error: DatabaseError): void {
  if (response.headersSent) response.destroy()
  else send(response, 400, { ...error.fields, message: error.message })
}

function send(response: ServerResponse, status: number, value: unknown): void {
  // A text goes out in one piece with the headers, where bytes would follow them in a second.
  const body = JSON.stringify(value)
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body)
}

function listen(server: TcpServer, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      if (address === null || typeof address === 'string') reject(new Error('The server has no port'))
      else resolve(address.port)
    })
  })
}

const endOf = (server: TcpServer): Promise<void> => new Promise((resolve) => server.close(() => resolve()))
