import { generateId, ServiceError } from '@dot-do/worker-utils'
import type { Piece } from './pieces.ts'

/** What a keyed call was answered; committed with its events. */
export interface SpooledEntry {
  principal: string
  key: string
  inputHash: string
  answer: string
}

/** Pieces that go to ClickHouse together, under a token that stands before they are sent for the first time. */
export interface Batch {
  token: string
  /** The position of its last piece. */
  last: number
}

/** Beyond this nothing more is taken. */
const MAX_BYTES = 268_435_456

/** A batch has at least one piece, and no further one past this size: ClickHouse then takes it as one block, which its token stands for. */
const BATCH_BYTES = 4_194_304

const REMEMBERED_MS = 86_400_000

const TABLES = `
create table if not exists pieces (position integer primary key autoincrement, events integer not null, size_bytes integer not null, lines blob not null);
create table if not exists ledger (principal text not null, key text not null, input_hash text not null, answer text not null, at integer not null, primary key (principal, key));
create index if not exists ledger_at on ledger (at);`

/** Events that wait, in the storage of a Durable Object. */
export class Spool {
  readonly #storage: DurableObjectStorage
  #events: number
  #bytes: number

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage
    storage.sql.exec(TABLES)
    const { events, bytes } = storage.sql
      .exec<{ events: number; bytes: number }>('select coalesce(sum(events), 0) as events, coalesce(sum(size_bytes), 0) as bytes from pieces')
      .one()
    this.#events = events
    this.#bytes = bytes
  }

  /** How many events wait. */
  get events(): number {
    return this.#events
  }

  /** Whether there is enough for a batch. */
  get isBatchFull(): boolean {
    return this.#bytes >= BATCH_BYTES
  }

  /** Keeps events and, for a keyed call, what it is answered: both or neither. UNAVAILABLE when it is full, CONFLICT when the key is taken. */
  append(pieces: Piece[], entry: SpooledEntry | undefined): void {
    const sizeBytes = pieces.reduce((total, { lines }) => total + lines.byteLength, 0)
    if (this.#bytes + sizeBytes > MAX_BYTES) throw new ServiceError('UNAVAILABLE', 'As many events wait for ClickHouse as can be kept')
    this.#storage.transactionSync(() => {
      if (entry) this.#remember(entry)
      for (const { lines, events } of pieces)
        this.#storage.sql.exec('insert into pieces (events, size_bytes, lines) values (?, ?, ?)', events, lines.byteLength, lines)
    })
    this.#events += pieces.reduce((total, { events }) => total + events, 0)
    this.#bytes += sizeBytes
  }

  /** What a keyed call was answered within the last 24 hours. */
  find(principal: string, key: string): { inputHash: string; answer: string } | undefined {
    const query = 'select input_hash as inputHash, answer from ledger where principal = ? and key = ? and at > ?'
    return this.#storage.sql.exec<{ inputHash: string; answer: string }>(query, principal, key, Date.now() - REMEMBERED_MS).toArray()[0]
  }

  /** The batch that was begun, or the next; undefined when nothing waits. */
  nextBatch(): Batch | undefined {
    const begun = this.#storage.kv.get<Batch>('batch')
    if (begun) return begun
    let [last, sizeBytes] = [0, 0]
    for (const piece of this.#storage.sql.exec<{ position: number; size: number }>('select position, size_bytes as size from pieces order by position')) {
      if (last > 0 && sizeBytes + piece.size > BATCH_BYTES) break
      last = piece.position
      sizeBytes += piece.size
    }
    if (last === 0) return undefined
    const batch = { token: generateId('batch'), last }
    this.#storage.kv.put('batch', batch)
    return batch
  }

  /** The lines of a batch. */
  linesOf({ last }: Batch): Uint8Array[] {
    const rows = this.#storage.sql.exec<{ lines: ArrayBuffer }>('select lines from pieces where position <= ? order by position', last)
    return rows.toArray().map(({ lines }) => new Uint8Array(lines))
  }

  /** Forgets a batch that ClickHouse has. */
  delivered({ last }: Batch): void {
    const { sql, kv } = this.#storage
    this.#storage.transactionSync(() => {
      const gone = sql.exec<{ events: number; size: number }>('delete from pieces where position <= ? returning events, size_bytes as size', last).toArray()
      kv.delete('batch')
      this.#events -= gone.reduce((total, { events }) => total + events, 0)
      this.#bytes -= gone.reduce((total, { size }) => total + size, 0)
    })
  }

  #remember({ principal, key, inputHash, answer }: SpooledEntry): void {
    const now = Date.now()
    this.#storage.sql.exec('delete from ledger where at <= ?', now - REMEMBERED_MS)
    const kept = this.#storage.sql.exec('insert or ignore into ledger values (?, ?, ?, ?, ?) returning key', principal, key, inputHash, answer, now).toArray()
    if (kept.length === 0) throw new ServiceError('CONFLICT', 'The Idempotency-Key is being used')
  }
}
