import type { Session } from 'chdb'
import { randomUUID } from 'node:crypto'
import { writeSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DATABASE, MAX_RESULT_BYTES, writeEngineFiles } from './engine-files.ts'
import type { Insertion } from './insertion.ts'
import { refusal, refusalOf } from './refusal.ts'
import { Slots } from './slots.ts'
import { forgetLostTokens } from './token-logs.ts'
import { vet } from './vetting.ts'
import type { Role } from './vetting.ts'

/** Where rows are kept, and how long one query may take. */
export interface EngineOptions {
  dir: string
  queryLimitMs: number
}

/** A statement that is to run. */
export interface Query {
  text: string
  role: Role
  parameters: ReadonlyMap<string, string>
  /** As the engine takes them with a connection: `--name=value`. */
  settings: readonly string[]
  /** How the answer is written unless the text says. */
  format: string
}

/** What a statement gave. */
export interface Answer {
  format: string
  body: Uint8Array
  elapsedSeconds: number
  rows: number
  bytes: number
}

/** What an insert wrote; fewer rows than were sent when its token was known. */
export type Written = Pick<Answer, 'rows' | 'bytes' | 'elapsedSeconds'>

type Module = typeof import('chdb')

/** Queries that run at a time; the rest wait. `UV_THREADPOOL_SIZE` is set to as many and two more. */
export const CONCURRENT_QUERIES = 8

const maxWaiting = 512
const maxQueryBytes = 262_144
const maxKnownTexts = 256
const maxKnownTextCharacters = 16_384

interface Opened {
  chdb: Module
  /** Keeps the engine open, and reads statements. */
  base: Session
  dataDir: string
  queryLimitMs: number
  version: string
}

/** Opens a directory, whose lock the caller holds. Fails where chdb is not installed. */
export async function openEngine({ dir, queryLimitMs }: EngineOptions): Promise<Engine> {
  const dataDir = join(dir, 'data')
  const config = await writeEngineFiles(join(dir, 'config'), secondsOf(queryLimitMs))
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  await forgetLostTokens(dataDir)
  const chdb = await import('chdb')
  const base = new chdb.Session(dataDir, { connectionArgs: [`--config-file=${config}`] })
  await base.queryAsync(`CREATE DATABASE IF NOT EXISTS ${DATABASE}`)
  const version = (await base.queryAsync('SELECT version()', { format: 'TSVRaw' })).text().trim()
  return new Engine({ chdb, base, dataDir, queryLimitMs, version })
}

/**
 * ClickHouse within this process. Each query has a connection of its own, so neither settings nor parameters pass from one to the next.
 * The engine ends a query at its limit; one that does not end then, since it cannot be interrupted, ends the process.
 */
export class Engine {
  readonly version: string
  readonly executionLimitSeconds: number
  readonly #opened: Opened
  readonly #slots = new Slots(CONCURRENT_QUERIES, maxWaiting)
  /** Statements as the parser writes them, by what was asked. */
  readonly #known = new Map<string, string>()

  constructor(opened: Opened) {
    this.#opened = opened
    this.version = opened.version
    this.executionLimitSeconds = secondsOf(opened.queryLimitMs)
  }

  /** Runs one statement. Throws a Refusal. */
  run({ text, role, parameters, settings, format }: Query): Promise<Answer> {
    return this.#slots.run(async () => {
      const statement = await this.#parsed(text)
      const named = vet({ text: statement, role, parameters }) ?? format
      const rights = role === 'service' ? ['--readonly=1', '--allow_ddl=0'] : []
      return this.#connected([...settings, ...rights], async (session) => {
        await session.queryAsync([`USE ${DATABASE}`, ...[...parameters].map(([name, value]) => `SET param_${name} = ${literal(value)}`)].join('; '))
        const result = await session.queryAsync(statement, { format: named })
        const body = result.bytes()
        // The engine counts a value that all rows have in common once.
        if (body.length > MAX_RESULT_BYTES) throw refusal('TOO_MANY_ROWS_OR_BYTES', `Limit for result exceeded, max bytes: ${MAX_RESULT_BYTES}`)
        return { format: named, body, elapsedSeconds: result.elapsed, rows: result.rowsRead, bytes: result.bytesRead }
      })
    })
  }

  /** Writes rows, all or none unless they are many (a block holds a million). Throws a Refusal. */
  insert({ database = DATABASE, table, columns, format, rows }: Insertion, settings: readonly string[]): Promise<Written> {
    return this.#slots.run(() =>
      this.#connected([...settings, '--allow_ddl=0'], async (session) => {
        const { rowsWritten, bytesWritten, elapsed } = await session.insert({
          table: `${database}.${table}`,
          format,
          values: rows,
          ...(columns && { columns }),
        })
        return { rows: rowsWritten, bytes: bytesWritten, elapsedSeconds: elapsed }
      }),
    )
  }

  /** Waits for what runs, then closes the files. */
  async close(): Promise<void> {
    await this.#opened.chdb.drainPending()
    this.#opened.base.close()
    await this.#opened.chdb.drainPending()
  }

  /** The statement as the engine's own parser understands it; this text is what is vetted and what runs, so nothing can mean two things. */
  async #parsed(text: string): Promise<string> {
    const known = this.#known.get(text)
    if (known !== undefined) return known
    if (Buffer.byteLength(text) > maxQueryBytes)
      throw refusal('QUERY_IS_TOO_LARGE', `A statement has at most ${maxQueryBytes} bytes; rows go behind INSERT INTO table FORMAT name`)
    const parsed = await this.#guarded(() => this.#opened.base.queryAsync(`SELECT formatQuerySingleLine(${literal(text)})`, { format: 'RawBLOB' })).catch(
      parserRefusal,
    )
    if (text.length <= maxKnownTextCharacters) this.#known.set(text, parsed.text().trim())
    for (const [oldest] of this.#known) if (this.#known.size > maxKnownTexts) this.#known.delete(oldest)
    return parsed.text().trim()
  }

  async #connected<T>(connectionArgs: readonly string[], work: (session: Session) => Promise<T>): Promise<T> {
    const session = this.#connect(connectionArgs)
    try {
      return await this.#guarded(() => work(session))
    } catch (error) {
      throw refusalOf(error)
    } finally {
      session.close()
    }
  }

  #connect(connectionArgs: readonly string[]): Session {
    try {
      return new this.#opened.chdb.Session(this.#opened.dataDir, { connectionArgs })
    } catch {
      throw refusal('BAD_ARGUMENTS', 'A setting has a value that it cannot have')
    }
  }

  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    const limitMs = this.#opened.queryLimitMs * 2
    const timer = setTimeout(() => {
      writeSync(2, `a query held the analytics for more than ${limitMs} ms; it is stopped and they open again\n`)
      process.kill(process.pid, 'SIGKILL')
    }, limitMs)
    try {
      return await work()
    } finally {
      clearTimeout(timer)
    }
  }
}

/** An id for a query that came without one. */
export const queryId = (): string => randomUUID()

const secondsOf = (ms: number): number => Math.max(1, Math.round(ms / 1000))

function literal(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&').replaceAll('\0', '\\0')}'`
}

/** The parser was asked from within a query, of which its message tells. */
function parserRefusal(error: unknown): never {
  const told = refusalOf(error)
  throw Object.assign(told, { message: told.message.replace(/:?\s*: In scope SELECT formatQuery[^]*$|: while executing[^]*$/i, '') })
}
