import type { Rows, Statement } from '../database.ts'
import type { Env } from '../env.ts'

/** Connections that a role has at most. */
const SLOTS = 4

/** Statements over connections that Durable Objects hold, of which there are a few for each role. The one with the least to do, as far as this isolate knows, is taken. */
export function heldConnections(role: string, { Connections }: Env): (statements: Statement[], isReadOnly: boolean) => Promise<Rows[]> {
  const busy = Array.from({ length: SLOTS }, () => 0)
  return async (statements, isReadOnly) => {
    const slot = busy.indexOf(Math.min(...busy))
    busy[slot] = (busy[slot] ?? 0) + 1
    try {
      const rows: Promise<Rows[]> = Connections.getByName(`${role}/${slot}`).run(role, statements, isReadOnly)
      return await rows
    } finally {
      busy[slot] = (busy[slot] ?? 1) - 1
    }
  }
}
