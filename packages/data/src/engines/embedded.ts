import { PGlite, protocol } from '@electric-sql/pglite'
import { vector } from '@electric-sql/pglite-pgvector'
import { DatabaseError } from './engine.ts'
import type { BatchOptions, Result, Statement } from './engine.ts'
import { outcomeOf, statementMessages, sync } from './embedded-protocol.ts'
import type { Outcome } from './embedded-protocol.ts'
import { EmbeddedSession } from './embedded-session.ts'
import { guard, onlyReads } from './guard.ts'
import { hardening } from './hardening.ts'
import { PreparedTexts } from './prepared-texts.ts'
import { directory, seedDump } from './seed.ts'
import type { EngineSession, SessionEngine } from './session.ts'
import { Turns } from './turns.ts'
import { beginStatement, demandDeliverable, maxAnswerBytes, quoteName, quoteText, tooLarge } from './values.ts'

/** Where the embedded engine keeps its rows: a directory (made if absent), a dump to start from in memory, or neither for an empty database in memory. */
export interface EmbeddedOptions {
  dir?: string
  from?: Blob
  sessions?: SessionLimits
}

/** How long sessions may keep others waiting. */
export interface SessionLimits {
  /** How long one waits for others' transactions before one is refused. */
  patienceMs: number
  /** A transaction in which nothing happens for so long is rolled back. */
  idleMs: number
}

const SESSION_LIMITS: SessionLimits = { patienceMs: 5_000, idleMs: 2_000 }

/** The embedded engine, which can also be copied whole. */
export interface EmbeddedEngine extends SessionEngine {
  /** The database as a tar, to start another engine from. */
  dump(): Promise<Blob>
}

/**
 * Opens PGlite as an Engine. It does not lock its directory: a second opener destroys what is there, so whoever passes `dir` holds a lock of his own.
 *
 * A batch that waits for five seconds while a session's transaction is open is refused, with 53300; so is a session that wants to begin.
 *
 * PGlite has one backend and one session user, a superuser; batches run one after another and the role is set for each. The role is session state, changed only
 * when the next batch has another, which makes a read one call into the backend (46 µs against 100 and more with BEGIN, SET LOCAL ROLE and COMMIT around it).
 * That is safe since nothing a service may send can change it: only row statements pass the guard, one per text, and `hardening` revokes set_config and the rest.
 */
export async function embeddedEngine(options: EmbeddedOptions = {}): Promise<EmbeddedEngine> {
  const { dir, from, sessions = SESSION_LIMITS } = options
  const rows = dir === undefined ? undefined : await directory(dir)
  const start = rows?.isFilled ? undefined : (from ?? (await seedDump()))
  const pglite = await PGlite.create({
    ...(rows && { dataDir: rows.path }),
    ...(start && { loadDataDir: start }),
    extensions: { vector },
    // The session of a role looks for names in the role's own schema first; `public` and `extensions` count only for who may use them.
    startParams: PGlite.defaultStartParams.map((param) => (param === 'search_path=public' ? 'search_path="$user",public,extensions' : param)),
  })
  await pglite.exec(hardening)
  if (rows) await rows.markFilled()
  return new Embedded(pglite, sessions)
}

/** What is kept of an answer: twice of what can be delivered as JSON, since short values take more room in wire messages. */
const MAX_WIRE_BYTES = 2 * maxAnswerBytes

class Embedded implements EmbeddedEngine {
  readonly #pglite: PGlite
  readonly #turns: Turns
  readonly #prepared = new PreparedTexts()
  readonly #idleMs: number
  /** The role the session has now; undefined when that is not certain. */
  #role: string | null | undefined = null
  /** The settings beyond the defaults that the session has now, as SQL. */
  #settings = ''
  /** Each role's settings. Login would apply them, but a role that is only set never logs in. */
  readonly #settingsOf = new Map<string, string>()

  constructor(pglite: PGlite, { patienceMs, idleMs }: SessionLimits) {
    this.#pglite = pglite
    this.#turns = new Turns(patienceMs)
    this.#idleMs = idleMs
  }

  async batch(role: string | null, statements: readonly Statement[], options: BatchOptions = {}): Promise<Result[]> {
    guard(role, statements)
    return this.#exclusively(async () => {
      if (role !== this.#role) await this.#become(role)
      const begin = beginStatement(options)
      const reads = onlyReads(statements)
      if (role === null && !reads) this.#prepared.clear()
      return begin === 'begin' && reads ? this.#read(role, statements) : this.#transact(role, begin, statements)
    }, role === null)
  }

  session(role: string, onIdle: () => void): EngineSession {
    const backend = {
      ask: (isPatient?: boolean) => this.#turns.ask(isPatient),
      keep: () => this.#turns.keep(),
      pass: () => this.#turns.pass(),
      become: (asked: string) => this.#become(asked),
      exchange: (bytes: Uint8Array) => this.#exchange(bytes),
      rollback: () => this.#rollback(),
      idleMs: this.#idleMs,
    }
    return new EmbeddedSession(backend, role, onIdle)
  }

  async script(sql: string): Promise<void> {
    await this.#exclusively(async () => {
      await this.#become(null)
      this.#settingsOf.clear()
      this.#prepared.clear()
      const { error, status } = await this.#send([protocol.serialize.query(sql)])
      if (status !== 'I') await this.#rollback()
      if (error) throw error
    }, true)
  }

  dump(): Promise<Blob> {
    return this.#exclusively(() => this.#pglite.dumpDataDir('none'), true)
  }

  async close(): Promise<void> {
    await this.#exclusively(() => this.#pglite.close(), true)
  }

  /** All statements up to one Sync are one implicit transaction. Nothing is written, so an answer that is too large needs no taking back. */
  async #read(role: string | null, statements: readonly Statement[]): Promise<Result[]> {
    const run = this.#prepared.run(role, statements)
    const { results, error, status } = await this.#send([...run.messages, sync])
    this.#prepared.settle(run, !error)
    if (status !== 'I') await this.#rollback()
    if (error) throw error
    demandDeliverable(results)
    return results
  }

  async #transact(role: string | null, begin: string, statements: readonly Statement[]): Promise<Result[]> {
    const run = this.#prepared.run(role, statements)
    const { results, error } = await this.#send([...statementMessages(plain(begin)), ...run.messages])
    this.#prepared.settle(run, !error)
    try {
      if (error) throw error
      demandDeliverable(results)
    } catch (refusal) {
      await this.#rollback()
      throw refusal
    }
    const end = await this.#send([...statementMessages(plain('commit')), sync])
    if (end.error ?? end.status !== 'I') await this.#rollback()
    if (end.error) throw end.error
    return results.slice(1)
  }

  /** The first Sync ends what an error left half read; then nothing is open, whatever was. */
  async #rollback(): Promise<void> {
    await this.#send([sync, ...statementMessages(plain('rollback')), sync])
  }

  async #become(role: string | null): Promise<void> {
    if (role === this.#role) return
    const settings = role === null ? '' : await this.#settingsFor(role)
    const steps = settings === this.#settings ? [] : ['reset role', 'reset all', settings]
    this.#role = undefined
    const { error } = await this.#send([
      protocol.serialize.query([...steps, role === null ? 'reset role' : `set role ${quoteName(role)}`].filter(Boolean).join(';')),
    ])
    if (error) throw new DatabaseError(`No role ${role}`, { code: '28000', severity: 'FATAL' }, { cause: error })
    this.#role = role
    this.#settings = settings
  }

  async #settingsFor(role: string): Promise<string> {
    const known = this.#settingsOf.get(role)
    if (known !== undefined) return known
    await this.#become(null)
    const read: Statement = { sql: 'select unnest(rolconfig) from pg_roles where rolname = $1', params: [role] }
    const { results, error } = await this.#send([...statementMessages(read), sync])
    if (error) throw error
    const settings = (results[0]?.rows ?? []).map(([pair]) => setting(pair ?? '')).join(';')
    this.#settingsOf.set(role, settings)
    return settings
  }

  async #send(messages: Uint8Array[]): Promise<Outcome> {
    const answer = await this.#exchange(Buffer.concat(messages))
    return answer ? outcomeOf(answer) : { results: [], error: tooLarge(), status: undefined }
  }

  /** What is longer than an answer may be is read to its end and dropped. The pieces are views of the backend's memory. */
  async #exchange(bytes: Uint8Array): Promise<Buffer | undefined> {
    const pieces: Buffer[] = []
    let size = 0
    const onRawData = (piece: Uint8Array): void => {
      size += piece.length
      if (size <= MAX_WIRE_BYTES) pieces.push(Buffer.from(piece))
      else pieces.length = 0
    }
    await this.#pglite.execProtocolRawStream(bytes, { onRawData })
    const [first] = pieces
    if (size > MAX_WIRE_BYTES) return undefined
    return first && pieces.length === 1 ? first : Buffer.concat(pieces)
  }

  async #exclusively<T>(work: () => Promise<T>, isPatient: boolean): Promise<T> {
    await this.#turns.ask(isPatient).taken
    try {
      return await work()
    } finally {
      this.#turns.pass()
    }
  }
}

const plain = (sql: string): Statement => ({ sql, params: [] })

/** `name=value` as pg_roles keeps it. set_config takes a list such as a search path in the same form. */
function setting(pair: string): string {
  const split = pair.indexOf('=')
  return `select set_config(${quoteText(pair.slice(0, split))}, ${quoteText(pair.slice(split + 1))}, false)`
}
