import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

/** Read before anything is tied to a core, which would make it one. */
const CORES = availableParallelism()

/** CPU that a process has used so far in nanoseconds: all its threads, by the scheduler's own account. Linux only. */
export function cpuNs(pid: number): number {
  return sum(threadsOf(pid).map((thread) => Number(readText(`/proc/${pid}/task/${thread}/schedstat`).split(' ')[0] ?? 0)))
}

/** CPU that everything on this machine has used so far, in nanoseconds; exact to a tick, which is 10 ms. */
export function machineCpuNs(): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = readText('/proc/stat').split('\n', 1).join('').trim().split(/\s+/).slice(1).map(Number)
  return (user + nice + system + irq + softirq) * 10_000_000
}

/** Memory a process holds now, in bytes. */
export function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readText(`/proc/${pid}/status`))?.[1] ?? 0) * 1024
}

/** Children of a process whose command line has a word in it, and theirs. */
export function descendants(pid: number, word: string): number[] {
  const children = threadsOf(pid).flatMap((thread) => readText(`/proc/${pid}/task/${thread}/children`).split(' ').filter(Boolean).map(Number))
  return children.flatMap((child) => [...(readText(`/proc/${child}/cmdline`).includes(word) ? [child] : []), ...descendants(child, word)])
}

/** Ties a process to one core, all its threads. Returns whether it could: not on a machine with one core or without taskset. */
export function pin(pid: number, core: number): boolean {
  if (CORES < 2) return false
  try {
    execFileSync('taskset', ['-a', '-c', '-p', String(core), String(pid)], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
  } catch {
    return []
  }
}

/** A thread may end between being listed and being read. */
function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
