import { createHash } from 'node:crypto'
import type { RuntimeListener } from './events.ts'
import { Offences } from './offences.ts'
import type { Pool } from './pool.ts'
import type { LostDispatch, PlacementAnswer } from './protocol.ts'
import type { Quarantine } from './quarantine.ts'
import type { ShardProcess } from './shard-process.ts'
import { errorOf, type Verdict } from './verdict.ts'

/** A script that is to be placed: its key, and what those that stay together have in common. */
export interface Resident {
  key: string
  affinity: string
}

/** Decides where a script runs, and whether it does. */
export class Placements {
  #pool: Pool
  #quarantine: Quarantine
  #onEvent: RuntimeListener
  #offences = new Offences()

  constructor(pool: Pool, quarantine: Quarantine, onEvent: RuntimeListener) {
    this.#pool = pool
    this.#quarantine = quarantine
    this.#onEvent = onEvent
  }

  /** Where a script runs, or why it does not. `lost` names the process that the asker has seen go. */
  async place(resident: Resident, lost?: LostDispatch): Promise<PlacementAnswer> {
    const verdict = lost && (await this.#pool.verdictOn(lost))
    if (verdict?.culprit === resident.key) return { error: errorOf(verdict) }
    const error = this.#offences.errorOf(resident.key, Date.now())
    if (error !== undefined) return { error }
    const { address, id } = await this.processOf(resident)
    const entered = lost && (verdict?.shard.activity.has(lost.dispatch) ?? true)
    return { placement: { address, process: id }, ...(entered === undefined ? {} : { entered }) }
  }

  async processOf({ key, affinity }: Resident): Promise<ShardProcess> {
    const hash = createHash('sha256').update(affinity).digest().readUInt32BE()
    return this.#quarantine.processOf(key) ?? this.#pool.shard(hash)
  }

  /** Draws the consequences of a process's end for those who ran in it. */
  judged(verdict: Verdict): void {
    const { culprit, suspects, shard } = verdict
    this.#quarantine.replace(shard.id)
    for (const key of suspects) this.#quarantine.isolate(key)
    if (culprit === undefined) return
    const error = errorOf(verdict)
    const backOffMs = this.#offences.add(culprit, error, Date.now())
    this.#onEvent({ type: 'refused', script: culprit, message: `${culprit} is not run for ${backOffMs / 1_000} s: ${error}` })
  }

  /** New code of a script has done nothing yet. */
  forgive(key: string): void {
    this.#offences.forgive(key)
  }
}
