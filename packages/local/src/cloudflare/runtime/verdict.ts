import type { Exit, ShardProcess } from './shard-process.ts'
import type { Excess } from './watchdog.ts'

/** How a process of published scripts came to its end, and who did it. */
export interface Verdict {
  shard: ShardProcess
  cause: Excess | 'crash' | 'outside'
  /** The one script it must have been. */
  culprit?: string
  /** Those it may have been. */
  suspects: string[]
}

const ERRORS = {
  cpu: 'Worker exceeded CPU time limit.',
  memory: 'Worker exceeded memory limit.',
  crash: 'Worker ended its process.',
} as const

/** Signals that come from outside: somebody's `kill`, the system short of memory, or a machine that is shut down. */
const OUTSIDE = new Set(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP'])

/** Judges an end by what the watchdog saw, or else by how the process went. Nobody is blamed for what came from outside. */
export function judge(shard: ShardProcess, exit: Exit, excess: Excess | undefined): Verdict {
  const cause = excess ?? causeOf(exit)
  if (cause === 'outside' || cause === 'silence') return { shard, cause, suspects: [] }
  const suspects = shard.activity.suspects(Date.now())
  const [first, second] = suspects
  return { shard, cause, suspects, ...(first !== undefined && second === undefined ? { culprit: first } : {}) }
}

/** What the culprit's callers are told. */
export function errorOf({ cause }: Verdict): string {
  return cause === 'cpu' || cause === 'memory' ? ERRORS[cause] : ERRORS.crash
}

function causeOf({ signal, stderr }: Exit): Verdict['cause'] {
  if (/out of memory|heap limit|allocation failed/i.test(stderr)) return 'memory'
  return signal !== null && OUTSIDE.has(signal) ? 'outside' : 'crash'
}
