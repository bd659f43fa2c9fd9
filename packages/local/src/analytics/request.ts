import type { IncomingMessage } from 'node:http'
import { promisify } from 'node:util'
import { gunzip, inflate } from 'node:zlib'
import { DATABASE } from './engine-files.ts'
import { refusal } from './refusal.ts'
import { isIdle, settingArgument } from './settings.ts'

/** What a request says besides its body. */
export interface RequestHead {
  user: string
  password: string
  query: string | undefined
  queryId: string | undefined
  format: string
  parameters: Map<string, string>
  settings: string[]
  wantsCompression: boolean
}

const maxBodyBytes = 64 * 1024 * 1024

/** The database goes by its own name, and as ClickHouse's own default. */
const DATABASES = new Set([DATABASE, 'default', ''])

/** What ClickHouse's HTTP interface serves and this one does not. */
const UNSERVED = new Set(['session_id', 'session_timeout', 'session_check', 'role', 'compress', 'decompress', 'stacktrace', 'close_session'])

/** Who asks: by headers, by HTTP's basic credentials, or in the URL, in this order. */
export function readCredential({ headers }: IncomingMessage, search: URLSearchParams): { user: string; password: string } {
  const [user, password] = [headers['x-clickhouse-user'], headers['x-clickhouse-key']]
  if (user !== undefined || password !== undefined) return { user: String(user ?? 'default'), password: String(password ?? '') }
  const basic = /^basic (\S+)$/i.exec(headers.authorization ?? '')?.[1]
  const [name = '', secret = ''] = basic === undefined ? [] : (/^([^:]*):([^]*)$/.exec(Buffer.from(basic, 'base64').toString())?.slice(1) ?? [])
  if (basic !== undefined) return { user: name, password: secret }
  return { user: search.get('user') ?? 'default', password: search.get('password') ?? '' }
}

/** Reads URL and headers. Throws a Refusal for what is not served. */
export function readHead(request: IncomingMessage, search: URLSearchParams, executionLimitSeconds: number): RequestHead {
  const head: RequestHead = {
    ...readCredential(request, search),
    query: search.get('query')?.trim() || undefined,
    queryId: search.get('query_id') ?? undefined,
    format: search.get('default_format') ?? String(request.headers['x-clickhouse-format'] ?? 'TabSeparated'),
    parameters: new Map(),
    settings: [],
    wantsCompression: search.get('enable_http_compression') === '1' && /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? '')),
  }
  if (!/^\w+$/.test(head.format)) throw refusal('BAD_ARGUMENTS', 'default_format is no name of a format')
  const database = search.get('database') ?? String(request.headers['x-clickhouse-database'] ?? '')
  if (!DATABASES.has(database)) throw refusal('UNKNOWN_DATABASE', `Database ${database.slice(0, 64)} does not exist`)
  for (const [name, value] of search) readParameter(head, [name, value], executionLimitSeconds)
  return head
}

const READ_ELSEWHERE = new Set(['query', 'query_id', 'default_format', 'database', 'user', 'password', 'enable_http_compression'])

function readParameter({ parameters, settings }: RequestHead, [name, value]: [string, string], executionLimitSeconds: number): void {
  if (READ_ELSEWHERE.has(name) || isIdle(name)) return
  if (UNSERVED.has(name)) throw refusal('NOT_IMPLEMENTED', `${name} is not served here`)
  const parameter = /^param_(\w+)$/.exec(name)?.[1]
  if (parameter === undefined) settings.push(settingArgument(name, value, executionLimitSeconds))
  else parameters.set(parameter, value)
}

/** Reads a body of 64 MiB at most, as it is and unpacked. Throws a Refusal. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue
    size += chunk.length
    // The rest is read and dropped: a client that is still sending would see a broken connection instead of the reason.
    if (size <= maxBodyBytes) chunks.push(chunk)
  }
  if (size > maxBodyBytes) throw tooLarge()
  return unpacked(Buffer.concat(chunks), request.headers['content-encoding'] ?? 'identity')
}

const unpackers: Record<string, (body: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>> = {
  gzip: promisify(gunzip),
  deflate: promisify(inflate),
}

async function unpacked(body: Buffer, encoding: string): Promise<Buffer> {
  if (encoding === 'identity') return body
  const unpack = unpackers[encoding.toLowerCase()]
  if (!unpack) throw refusal('NOT_IMPLEMENTED', `Bodies come as they are, or as gzip or deflate, not as ${encoding.slice(0, 40)}`)
  try {
    return await unpack(body, { maxOutputLength: maxBodyBytes })
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge()
    throw refusal('INCORRECT_DATA', `The body is not ${encoding}`)
  }
}

const tooLarge = () => refusal('QUERY_IS_TOO_LARGE', `A body has at most ${maxBodyBytes} bytes`)
