import { usageOf } from './process-usage.ts'
import type { ShardProcess } from './shard-process.ts'

/** When a process that nobody asks anything is given up for a fresh one. */
export interface IdleRule {
  /** Since when nothing runs in it, `waitUntil` and open WebSockets included. */
  idleMs: number
  /** Memory it still holds then: code that was evicted leaves some behind that only its process's end gives back. */
  residentBytes: number
}

/** Calls back once, when a process is idle and still large. */
export function watchIdleness(shard: ShardProcess, { idleMs, residentBytes }: IdleRule, onIdle: () => void): void {
  const look = async (): Promise<void> => {
    const isIdle = () => shard.activity.quietSince !== undefined && Date.now() - shard.activity.quietSince > idleMs
    if (!isIdle()) return
    const usage = await usageOf(shard.pid)
    if (!usage || usage.residentBytes < residentBytes || !isIdle()) return
    clearInterval(timer)
    onIdle()
  }
  const timer = setInterval(() => void look(), idleMs / 4)
  void shard.exit.finally(() => clearInterval(timer))
}
