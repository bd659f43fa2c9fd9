import { DurableObject } from 'cloudflare:workers'
import type { Environment } from '@dot-do/worker-contracts/published'
import { countCanary, nextStepAt, setCanary, stepCanary, type CanaryReport, type CanaryWish } from './canary.ts'
import type { Env } from './env.ts'
import type { PointerState } from './pointer-state.ts'
import { activate, drop, emptySlot, keep, rollback, takeDown, type Kept, type SlotState } from './slot.ts'

/** How a rollback went, or had gone when it was first attempted. */
export interface RollbackAnswer {
  from: number | null
  to: number
  slot: SlotState
}

/** So many attempts at a rollback are remembered, each for a day: whoever tries again tries much sooner. */
const MAX_ATTEMPTS = 200
const ATTEMPT_MS = 86_400_000

const TABLES = `
  create table if not exists versions (sha256 text primary key, version integer not null unique, at_ms integer not null) without rowid;
  create index if not exists versions_by_age on versions (at_ms, version);
  create table if not exists slots (environment text primary key, state text not null) without rowid;
  create table if not exists attempts (environment text, attempt text, at_ms integer not null, answer text not null, primary key (environment, attempt));
`

/** The only truth of what is live of one worker. What it decides is written before it answers, since each of its changes is one step without awaiting anything. */
export class Pointer extends DurableObject<Env> {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    ctx.storage.sql.exec(TABLES)
  }

  /** Everything that dispatchers need to know. */
  read(): PointerState {
    const slots = this.#rows('select state from slots order by environment').map(({ state }) => slotFrom(state))
    const [last] = this.#rows('select version, at_ms from versions order by at_ms desc, version desc limit 1')
    return { slots, reserved: last ? { version: Number(last['version']), atMs: Number(last['at_ms']) } : null }
  }

  /** The number of a content: a new one the first time, for good. */
  reserve(sha256: string): number {
    const now = Date.now()
    this.#rows(
      `insert into versions (sha256, version, at_ms) values (?, coalesce((select max(version) from versions), 0) + 1, ?)
       on conflict (sha256) do update set at_ms = excluded.at_ms`,
      sha256,
      now,
    )
    return Number(this.#rows('select version from versions where sha256 = ?', sha256)[0]?.['version'])
  }

  /** Keeps a version, from now on. */
  keep(environment: Environment, version: Omit<Kept, 'keptSince'>): Promise<SlotState> {
    return this.#change(environment, (slot) => keep(slot, { ...version, keptSince: new Date().toISOString() }))
  }

  /** Forgets versions that nobody calls but by their own hosts. */
  drop(environment: Environment, versions: number[]): Promise<SlotState> {
    return this.#change(environment, (slot) => drop(slot, versions))
  }

  /** Makes a version live. */
  activate(environment: Environment, version: number): Promise<SlotState> {
    return this.#change(environment, (slot) => activate(slot, version))
  }

  /** Goes back once for each attempt, however often it is told of it. */
  async rollback(environment: Environment, attempt: string, to?: number): Promise<RollbackAnswer> {
    const [known] = this.#rows('select answer from attempts where environment = ? and attempt = ? and at_ms > ?', environment, attempt, Date.now() - ATTEMPT_MS)
    if (known) return JSON.parse(String(known['answer'])) as RollbackAnswer // written below
    const slot = this.#slot(environment)
    const next = rollback(slot, to)
    const answer = { from: slot.live, to: next.live, slot: next }
    this.#remember(environment, attempt, answer)
    await this.#change(environment, () => next)
    return answer
  }

  /** Begins, changes or ends a canary. */
  setCanary(environment: Environment, wish: CanaryWish): Promise<SlotState> {
    return this.#change(environment, (slot, now) => setCanary(slot, wish, now))
  }

  /** Lets nothing be live. */
  takeDown(environment: Environment): Promise<SlotState> {
    return this.#change(environment, takeDown)
  }

  /** Takes in what a dispatcher saw of a canary; the answer tells it whether the canary goes on. */
  count(environment: Environment, report: CanaryReport): Promise<SlotState> {
    return this.#change(environment, (slot, now) => countCanary(slot, report, now))
  }

  /** Lets canaries grow. */
  override async alarm(): Promise<void> {
    for (const { environment } of this.read().slots) await this.#change(environment, stepCanary)
    await this.#setAlarm(new Date())
  }

  async #change(environment: Environment, change: (slot: SlotState, now: Date) => SlotState): Promise<SlotState> {
    const now = new Date()
    const slot = this.#slot(environment)
    const next = change(slot, now)
    if (next === slot) return slot
    this.#rows('insert or replace into slots (environment, state) values (?, ?)', environment, JSON.stringify(next))
    await this.#setAlarm(now)
    return next
  }

  #slot(environment: Environment): SlotState {
    const [row] = this.#rows('select state from slots where environment = ?', environment)
    return row ? slotFrom(row['state']) : emptySlot(environment)
  }

  #remember(environment: Environment, attempt: string, answer: RollbackAnswer): void {
    const now = Date.now()
    this.#rows('insert or replace into attempts (environment, attempt, at_ms, answer) values (?, ?, ?, ?)', environment, attempt, now, JSON.stringify(answer))
    this.#rows('delete from attempts where at_ms <= ?', now - ATTEMPT_MS)
    // By row and not by time: many may come within one millisecond.
    this.#rows(`delete from attempts where rowid in (select rowid from attempts order by rowid desc limit -1 offset ${MAX_ATTEMPTS})`)
  }

  async #setAlarm(now: Date): Promise<void> {
    const times = this.read().slots.flatMap((slot) => nextStepAt(slot, now) ?? [])
    if (times.length > 0) await this.ctx.storage.setAlarm(Math.min(...times))
    else await this.ctx.storage.deleteAlarm()
  }

  #rows(sql: string, ...values: (string | number)[]): Record<string, SqlStorageValue>[] {
    return this.ctx.storage.sql.exec(sql, ...values).toArray()
  }
}

function slotFrom(state: unknown): SlotState {
  return JSON.parse(String(state)) as SlotState // only #change writes one
}
