import { usageOf } from './process-usage.ts'
import type { ShardProcess } from './shard-process.ts'

/** What a watched process may use. */
export interface Ceilings {
  /** CPU between two answers, where what runs has no limit of its own. */
  cpuMs: number
  residentBytes: number
}

/** Why a process is ended. */
export type Excess = 'cpu' | 'memory' | 'silence'

const PING_INTERVAL_MS = 100

/** A process that neither answers nor works is stuck in some way that is nobody's fault. */
const SILENCE_MS = 30_000

/**
 * Asks a process ten times a second whether it is there, and reports the first excess. CPU counts, not time: on a busy machine an
 * innocent process may be slow to answer. Where there is no /proc, time has to do.
 */
export function watch(shard: ShardProcess, ceilings: Ceilings, onExcess: (excess: Excess) => void): void {
  let answered = { at: performance.now(), cpuMs: 0 }
  let isWaiting = false
  let isOver = false

  const ping = async (): Promise<void> => {
    isWaiting = true
    await shard.call('/ping').catch(() => undefined)
    const usage = await usageOf(shard.pid)
    answered = { at: performance.now(), cpuMs: usage?.cpuMs ?? 0 }
    shard.activity.answered()
    isWaiting = false
  }
  const look = async (): Promise<void> => {
    const usage = await usageOf(shard.pid)
    const excess = excessOf({ usage, answered, isWaiting, ceilings, limitMs: shard.activity.cpuLimitMs(ceilings.cpuMs) })
    if (excess && !isOver) {
      isOver = true
      onExcess(excess)
    }
    if (!isWaiting) await ping()
  }

  void ping()
  const timer = setInterval(() => void look(), PING_INTERVAL_MS)
  void shard.exit.finally(() => {
    isOver = true
    clearInterval(timer)
  })
}

interface Sight {
  usage: Awaited<ReturnType<typeof usageOf>>
  answered: { at: number; cpuMs: number }
  isWaiting: boolean
  ceilings: Ceilings
  limitMs: number
}

function excessOf({ usage, answered, isWaiting, ceilings, limitMs }: Sight): Excess | undefined {
  if (usage && usage.residentBytes > ceilings.residentBytes) return 'memory'
  if (!isWaiting) return undefined
  const waitedMs = performance.now() - answered.at
  const usedMs = usage ? usage.cpuMs - answered.cpuMs : waitedMs
  if (usedMs > limitMs) return 'cpu'
  return waitedMs > SILENCE_MS ? 'silence' : undefined
}
