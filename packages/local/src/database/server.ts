import { DatabaseError, toDatabaseError } from '@dot-do/worker-data/engines/engine'
import type { Engine, Result } from '@dot-do/worker-data/engines/engine'
import { rolePassword } from '@dot-do/worker-data/role-password'
import { rolesOf } from '@dot-do/worker-data/roles'
import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { malformed, readSqlRequest } from './request.ts'
import type { SqlRequest } from './request.ts'

const maxBodyBytes = 8 * 1024 * 1024

/** What the server needs: the engine it serves, who may ask, and the secret their passwords are derived from. */
export interface DatabaseServerOptions {
  engine: Engine
  /** Whose roles may connect. The owner is none of them. */
  services: readonly { name: string }[]
  roleSecret: string
  /** 0, the default, takes a free port. */
  port?: number
}

/** A listening server. */
export interface DatabaseServer {
  port: number
  /** Lets further services' roles connect. */
  admit(services: readonly { name: string }[]): Promise<void>
  /** Stops listening, ends open connections and resolves when the last batch has been answered. Leaves the engine open. */
  close(): Promise<void>
}

/**
 * Serves an engine on 127.0.0.1 as Neon's HTTP endpoint does: `POST /sql` with one query or an atomic batch, errors as 400 with PostgreSQL's fields.
 * The user of the connection string is the role; `GET /health` answers once the engine does. Bodies end at 8 MiB, answers at 32 MiB.
 */
export async function startDatabaseServer(options: DatabaseServerOptions): Promise<DatabaseServer> {
  const passwords = new Map<string, Buffer>()
  const admit = async (services: readonly { name: string }[]): Promise<void> => {
    for (const role of services.flatMap(({ name }) => rolesOf(name))) passwords.set(role, digest(await rolePassword(options.roleSecret, role)))
  }
  await admit(options.services)
  const server = createServer((request, response) => {
    answer({ request, response }, options.engine, passwords).catch((error: unknown) => refuse(response, toDatabaseError(error)))
  })
  server.keepAliveTimeout = 60_000
  const port = await listen(server, options.port ?? 0)
  return { port, admit, close: () => close(server) }
}

interface Exchange {
  request: IncomingMessage
  response: ServerResponse
}

async function answer({ request, response }: Exchange, engine: Engine, passwords: ReadonlyMap<string, Buffer>): Promise<void> {
  const route = `${request.method} ${request.url?.split('?', 1)[0]}`
  if (route === 'GET /health') {
    await engine.batch(null, [{ sql: 'select 1', params: [] }])
    return send(response, 200, { status: 'ok' })
  }
  if (route !== 'POST /sql') return send(response, 404, { message: `No ${route}; there is POST /sql and GET /health` })
  const sql = readSqlRequest(request.headers, await readBody(request))
  authenticate(sql, passwords)
  const results = (await engine.batch(sql.role, sql.statements, sql.options)).map(toNeon)
  send(response, 200, sql.isBatch ? { results } : results[0])
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue
    size += chunk.length
    // The rest is read and dropped: a client that is still sending would see a broken connection instead of the reason.
    if (size <= maxBodyBytes) chunks.push(chunk)
  }
  if (size > maxBodyBytes) throw malformed(`The body is larger than ${maxBodyBytes} bytes`)
  return Buffer.concat(chunks).toString('utf8')
}

/** Answers an unknown role and a wrong password alike, as PostgreSQL does. */
function authenticate({ role, password }: SqlRequest, passwords: ReadonlyMap<string, Buffer>): void {
  const expected = passwords.get(role)
  if (!timingSafeEqual(digest(password), expected ?? Buffer.alloc(32)) || expected === undefined) {
    throw new DatabaseError(`password authentication failed for user "${role}"`, { code: '28P01', severity: 'FATAL' })
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

const toNeon = (result: Result): object => ({ ...result, rowAsArray: true })

function refuse(response: ServerResponse, error: DatabaseError): void {
  if (response.headersSent) response.destroy()
  else send(response, 400, { ...error.fields, message: error.message })
}

function send(response: ServerResponse, status: number, value: unknown): void {
  const body = Buffer.from(JSON.stringify(value))
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length }).end(body)
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      if (address === null || typeof address === 'string') reject(new Error('The server has no port'))
      else resolve(address.port)
    })
  })
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeIdleConnections()
  })
}
