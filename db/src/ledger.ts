import type { Ledger } from '@dot-do/worker-kernel/ledger'
import { connectionAs } from './database.ts'
import type { Env } from './env.ts'
import { findRemembered } from './things.ts'

/** What db's keyed calls were answered, in db's own schema; `applyCommands` writes it. */
export const ledger: Ledger<Env> = {
  async find(entry, { env }) {
    const connection = await connectionAs('db', env)
    const [result] = await connection([findRemembered(entry)])
    const [row] = result?.rows ?? []
    return row && { inputHash: String(row[0]), answer: row[1] }
  },
}
