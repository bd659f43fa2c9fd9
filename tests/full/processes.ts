import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'

/** A process of this machine; its number alone may be another's later. */
export interface Process {
  pid: number
  parent: number
  /** Clock ticks from the machine's start to its own. */
  startedAt: string
  command: string
}

/** A process and everything it started, however deep, the process itself first. */
export async function familyOf(pid: number): Promise<Process[]> {
  const all = await allProcesses()
  const family = all.filter((process) => process.pid === pid)
  for (const { pid: parent } of family) family.push(...all.filter((process) => process.parent === parent))
  return family
}

/** Those of some processes that still run. */
export async function aliveOf(processes: readonly Process[]): Promise<Process[]> {
  const now = await allProcesses()
  return processes.filter(({ pid, startedAt }) => now.some((other) => other.pid === pid && other.startedAt === startedAt))
}

/** Asks fifty times in five seconds at most whether processes have ended; those that have not are the answer. */
export async function survivorsOf(processes: readonly Process[]): Promise<Process[]> {
  let alive = await aliveOf(processes)
  for (let attempt = 0; attempt < 50 && alive.length > 0; attempt++) {
    await delay(100)
    alive = await aliveOf(alive)
  }
  return alive
}

/** Ends processes as `kill -9` does; one that has just ended by itself is fine. */
export function killAll(processes: readonly Process[]): void {
  for (const { pid } of processes) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
    }
  }
}

async function allProcesses(): Promise<Process[]> {
  const numbers = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  return (await Promise.all(numbers.map(readProcess))).flat()
}

/** One process by proc(5); nothing when it ended meanwhile, or is a zombie. */
async function readProcess(pid: string): Promise<Process[]> {
  try {
    const [stat, command] = await Promise.all([readFile(`/proc/${pid}/stat`, 'utf8'), readFile(`/proc/${pid}/cmdline`, 'utf8')])
    // The second field is the program's name in parentheses and may hold anything, so counting begins behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z') return []
    return [{ pid: Number(pid), parent: Number(fields[1]), startedAt: fields[19] ?? '', command: command.replaceAll('\0', ' ') }]
  } catch {
    return []
  }
}
