import type { Ledger } from '@dot-do/worker-kernel/ledger'
import { spoolOf } from './analytics/tracking.ts'
import { findRemembered } from './commands.ts'
import { connectionAs } from './database.ts'
import type { Env } from './env.ts'

/** What db's keyed calls were answered, each next to its effect: in the spool for events, else in db's own schema, where `applyCommands` writes it. */
export const ledger: Ledger<Env> = {
  async find(entry, { env }) {
    if (entry.operation === 'track') {
      const known = await spoolOf(env).find(entry.principal, entry.key)
      return known && { inputHash: known.inputHash, answer: JSON.parse(known.answer) as unknown }
    }
    const connection = await connectionAs('db', env)
    const [result] = await connection([findRemembered(entry)])
    const [row] = result?.rows ?? []
    return row && { inputHash: String(row[0]), answer: row[1] }
  },
}
