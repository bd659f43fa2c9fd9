import { residentBytes } from './processes.ts'
import { CONNECTIONS } from './slices.ts'
import { openStage, type TargetName } from './stage.ts'

/** What the platform's processes hold after load, in bytes. */
export interface MemoryFigures {
  workerdBytes: number
  databaseBytes: number
  hostBytes: number
}

const DURATION_MS = 4_000

/** Puts load on a platform of its own, without the Workers to compare with, whose memory would count. */
export async function measureMemory(root: string, names: TargetName[]): Promise<MemoryFigures> {
  const { load, target, pids, stop } = await openStage(root, { extraWorkers: [] })
  try {
    for (const name of names) await load.run({ target: target(name), arrival: { kind: 'closed', connections: CONNECTIONS }, durationMs: DURATION_MS })
    return {
      workerdBytes: residentBytes(pids.workerd),
      databaseBytes: pids.database.reduce((total, pid) => total + residentBytes(pid), 0),
      hostBytes: residentBytes(pids.host),
    }
  } finally {
    await stop()
  }
}
