import { database } from '@dot-do/worker-data/database'
import type { Call } from '@dot-do/worker-kernel/call'
import { FreshCache } from '@dot-do/worker-utils/fresh-cache'
import type { Env } from './env.ts'
import { types } from './tables.ts'

/** How the jobs of a type are run, where not as all are. */
export type TypeRow = typeof types.$inferSelect

const kept = new FreshCache<ReadonlyMap<string, TypeRow>>({ freshMs: 5_000, staleMs: 5_000, maxEntries: 1 })

/** The types that are run otherwise than all are, by name; as they were at most five seconds ago. For what is shown: what is run asks the table. */
export function typeSettings(call: Call<Env>): Promise<ReadonlyMap<string, TypeRow>> {
  return kept.get('all', () => readSettings(call), call.waitUntil)
}

/** The same as they are now. */
export async function readSettings(call: Call<Env>): Promise<ReadonlyMap<string, TypeRow>> {
  const rows = await database(call).select().from(types)
  return new Map(rows.map((row) => [row.type, row]))
}

/** Lets the next one see what was changed. */
export function forgetSettings(): void {
  kept.forget('all')
}
