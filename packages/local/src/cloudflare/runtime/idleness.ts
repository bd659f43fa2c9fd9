import { usageOf } from './process-usage.ts'
import type { ShardProcess } from './shard-process.ts'

/** When a process that nobody asks anything is given up for a fresh one. */
export interface IdleRule {
  /** Since when nothing runs in it, `waitUntil` and open WebSockets included. */
  idleMs: number
  /** Memory it still holds then: code that was evicted leaves some behind that only its process's end gives back. */
  residentBytes: number
}

/** Says when a process that has run something is idle and still large, again and again until the answer is true. */
export function watchIdleness(shard: ShardProcess, { idleMs, residentBytes }: IdleRule, onIdle: () => boolean): void {
  const look = async (): Promise<void> => {
    const isIdle = () => shard.activity.scripts.length > 0 && shard.activity.quietSince !== undefined && Date.now() - shard.activity.quietSince > idleMs
    if (!isIdle()) return
    const usage = await usageOf(shard.pid)
    if (!usage || usage.residentBytes < residentBytes || !isIdle()) return
    if (onIdle()) clearInterval(timer)
  }
  const timer = setInterval(() => void look(), idleMs / 4)
  void shard.exit.finally(() => clearInterval(timer))
}
