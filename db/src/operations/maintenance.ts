import type { Operations } from '../operations.ts'
import { readColumn } from '../read-column.ts'

/** For so long what was deleted can be restored; `db.state_to_restore` keeps to the same. */
const RESTORABLE_MS = 30 * 86_400_000

/** One transaction removes so many things at most, and one call makes so many transactions; the hour after goes on. */
const PART = 500
const PARTS = 20

export const purgeDeleted: Operations['purgeDeleted'] = async (_input, call) => {
  const removed = { things: 0, relationships: 0 }
  const before = new Date(Date.now() - RESTORABLE_MS).toISOString()
  for (let part = 0; part < PARTS; part++) {
    const [counts] = await readColumn<typeof removed>({ sql: 'select db.purge_deleted($1::timestamptz, $2::integer)', params: [before, PART] }, call)
    removed.things += counts?.things ?? 0
    removed.relationships += counts?.relationships ?? 0
    if ((counts?.things ?? 0) === 0) break
  }
  return removed
}
