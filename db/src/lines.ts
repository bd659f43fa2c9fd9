import { parseExportInput, type ExportedLine } from '@dot-do/worker-contracts/ndjson'
import type { Call } from '@dot-do/worker-kernel/call'
import { demand } from '@dot-do/worker-kernel/identity'
import type { AnyImplemented } from '@dot-do/worker-kernel/implement'
import { invoke } from '@dot-do/worker-kernel/invoke'
import { namespaceFor, ServiceError, success, toServiceError } from '@dot-do/worker-utils'
import { linesOf } from '@dot-do/worker-utils/ndjson'
import { connectionAs, type Connection } from './database.ts'
import type { Env } from './env.ts'
import { lastPosition, readPage, relationshipsAfter, thingsAfter, type Exported, type ExportPage, type RelationshipPlace } from './export.ts'
import { LineReader, MAX_LINE_BYTES, MAX_LINES, type Counts } from './import-lines.ts'
import { service } from './service.ts'

/** What a body of lines is called (https://github.com/ndjson/ndjson-spec); no form of a page can send it. */
const TYPE = 'application/x-ndjson'

const BODY_LIMIT_BYTES = 4 * 1024 * 1024

const asAny = service as unknown as AnyImplemented<Env> // implement() checked operation against contract, name by name

/**
 * Answers `GET /export.ndjson`: a first line that says whose things, what and when, then things by id, then the relationships between them, then a line that counts both.
 * All is of one moment, that of the first line. A file without its last line was cut off.
 */
export async function exportLines(query: Record<string, string>, call: Call<Env>): Promise<Response> {
  demand(call.principal, 'things:read')
  const { ns, ...wanted } = parseExportInput(query)
  const selection = { ns: namespaceFor(call.principal, ns), ...wanted }
  const connection = await connectionAs('db', call.env)
  const at = new Date().toISOString()
  const exported = { selection, position: await lastPosition(connection) }
  const headers = {
    'Content-Type': `${TYPE}; charset=utf-8`,
    'Content-Disposition': `attachment; filename="${selection.ns}.ndjson"`,
    'Cache-Control': 'no-store',
  }
  return new Response(streamOf(pagesOf(connection, exported, { $export: { ns: selection.ns, at, ...wanted } })), { headers })
}

async function* pagesOf(connection: Connection, exported: Exported, header: unknown): AsyncGenerator<unknown[]> {
  const counts: Counts = { things: 0, relationships: 0 }
  yield [header]
  for (let after: string | undefined = ''; after !== undefined;) {
    const page: ExportPage<string> = await readPage(connection, thingsAfter(exported, after))
    counts.things += page.lines.length
    yield page.lines
    after = page.next
  }
  for (let after: RelationshipPlace | undefined = ['', '', '']; after !== undefined;) {
    const page: ExportPage<RelationshipPlace> = await readPage(connection, relationshipsAfter(exported, after))
    counts.relationships += page.lines.length
    yield page.lines
    after = page.next
  }
  yield [{ $end: counts }]
}

/** Written as it is read, a page at a time. */
function streamOf(pages: AsyncGenerator<unknown[]>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await pages.next()
      if (done) controller.close()
      else controller.enqueue(encoder.encode(value.map((line) => `${JSON.stringify(line)}\n`).join('')))
    },
    cancel: () => void pages.return(undefined),
  })
}

/** Answers `POST /import.ndjson`: an export of at most a thousand lines, or lines written by hand, all or none. */
export async function importBody(request: Request, call: Call<Env>, db = asAny): Promise<Response> {
  demand(call.principal, 'things:write')
  const ns = new URL(request.url).searchParams.get('ns')
  const numbers: number[] = []
  const gather = async () => {
    const read = await readLines(request)
    numbers.push(...read.map(({ number }) => number))
    return { ...(ns === null ? {} : { ns }), lines: read.map(({ line }) => line) }
  }
  try {
    return Response.json(success(await invoke(db, { name: 'import', gather }, call)))
  } catch (thrown) {
    throw byNumber(toServiceError(thrown), numbers)
  }
}

async function readLines(request: Request): Promise<{ line: ExportedLine; number: number }[]> {
  if (!/^application\/(x-)?ndjson\b/i.test(request.headers.get('Content-Type') ?? '')) throw refused('INVALID', 'Content-Type', `must be ${TYPE}`)
  if (Number(request.headers.get('Content-Length') ?? 0) > BODY_LIMIT_BYTES) throw tooLarge()
  const reader = new LineReader()
  const read: { line: ExportedLine; number: number }[] = []
  for await (const text of linesOf(limited(request.body), MAX_LINE_BYTES)) {
    const line = reader.take(text)
    if (!line) continue
    if (read.length === MAX_LINES)
      throw refused('TOO_LARGE', `lines.${reader.number}`, `is one more than ${MAX_LINES}; import the file in parts, as pnpm db:import does`)
    read.push({ line, number: reader.number })
  }
  reader.end()
  return read
}

async function* limited(body: ReadableStream<Uint8Array> | null): AsyncGenerator<Uint8Array> {
  let sizeBytes = 0
  for await (const chunk of body ?? []) {
    sizeBytes += chunk.byteLength
    if (sizeBytes > BODY_LIMIT_BYTES) throw tooLarge()
    yield chunk
  }
}

const tooLarge = (): ServiceError => new ServiceError('TOO_LARGE', `The body may have at most ${BODY_LIMIT_BYTES} bytes`)

const refused = (code: 'INVALID' | 'TOO_LARGE', path: string, message: string): ServiceError =>
  new ServiceError(code, `${path} ${message}`, { details: [{ path, message }] })

/** The operation counts its lines from 0 and knows of no others; whoever sent the file looks for a line of the file. */
function byNumber({ code, message, details }: ServiceError, numbers: number[]): ServiceError {
  if (numbers.length === 0) return new ServiceError(code, message, { details })
  const told = details?.map((detail) => ({
    ...detail,
    path: detail.path.replace(/^lines\.(\d+)/, (all, index: string) => (numbers[Number(index)] === undefined ? all : `lines.${numbers[Number(index)]}`)),
  }))
  return new ServiceError(code, message, { details: told })
}
