import { readFile } from 'node:fs/promises'

/** What a process has used. */
export interface Usage {
  /** User and system time together. */
  cpuMs: number
  residentBytes: number
}

/** The kernel's unit of time in /proc, which has been 100 per second on every platform Node runs on. */
const TICK_MS = 10
const PAGE_BYTES = 4_096

/** Reads what a process has used; undefined where there is no /proc, or no such process. */
export async function usageOf(pid: number): Promise<Usage | undefined> {
  try {
    const [stat, statm] = await Promise.all([readFile(`/proc/${pid}/stat`, 'utf8'), readFile(`/proc/${pid}/statm`, 'utf8')])
    // The name, in parentheses, may hold spaces; after it come the state and 10 more fields, then utime and stime.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { cpuMs: (Number(fields[11]) + Number(fields[12])) * TICK_MS, residentBytes: Number(statm.split(' ')[1]) * PAGE_BYTES }
  } catch {
    return undefined
  }
}
