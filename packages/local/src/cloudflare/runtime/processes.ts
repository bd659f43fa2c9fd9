import { Placements, type Resident } from './placement.ts'
import { Pool, type PoolSettings } from './pool.ts'
import { Quarantine } from './quarantine.ts'

/** A process as tests and measurements see it. */
export interface ProcessView {
  pid: number
  role: 'shared' | 'quarantine' | 'spare'
  /** Scripts that have run in it, or that it is kept for. */
  scripts: string[]
}

/** All processes of published scripts, and who runs where. */
export class Processes {
  readonly placements: Placements
  #pool: Pool
  #quarantine: Quarantine

  constructor(settings: PoolSettings) {
    this.#pool = new Pool(settings, (verdict) => this.placements.judged(verdict))
    this.#quarantine = new Quarantine(() => this.#pool.take(), settings.onEvent)
    this.placements = new Placements(this.#pool, this.#quarantine, settings.onEvent)
  }

  async ready(): Promise<void> {
    await this.#pool.ready()
  }

  get pids(): number[] {
    return this.#pool.live.map(({ pid }) => pid)
  }

  /** Has every process forget a script's code. Resolves when none will run it for a request that comes from now on. */
  async drop(key: string): Promise<void> {
    this.placements.forgive(key)
    await this.tellAll('/drop', { key })
  }

  /** Tells all processes. One that ends before it answers has forgotten everything. */
  async tellAll(path: string, body: unknown): Promise<void> {
    await Promise.all(this.#pool.live.map((shard) => Promise.race([shard.call(path, body).catch(() => shard.exit), shard.exit])))
  }

  /** Asks the process that a script belongs to. */
  async call(resident: Resident, path: string, body: unknown): Promise<{ status: number; text: string }> {
    const process = await this.placements.processOf(resident)
    return process.call(path, body)
  }

  async view(): Promise<ProcessView[]> {
    const shared = new Set((await this.#pool.shared()).map(({ id }) => id))
    return this.#pool.live.map(({ id, pid, activity }) => {
      const kept = this.#quarantine.cells.filter(({ process }) => process === id).map(({ key }) => key)
      const role = shared.has(id) ? 'shared' : kept.length > 0 ? 'quarantine' : 'spare'
      return { pid, role, scripts: [...new Set([...kept, ...activity.scripts])] }
    })
  }

  async stop(): Promise<void> {
    await this.#quarantine.stop()
    await this.#pool.stop()
  }
}
