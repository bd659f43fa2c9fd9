import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { leaving, proceed } from './leavings.ts'
import { median } from './statistics.ts'

/** From the start of the command to its `ready` line, in milliseconds. */
export interface BootFigures {
  /** On an empty state directory. */
  firstMs: number
  /** On a directory that was used before: the middle one of three. */
  warmMs: number
}

const WARM_STARTS = 3
const GIVE_UP_MS = 60_000

/** Starts and ends the whole platform a few times over, as a user would. */
export async function measureBoot(root: string): Promise<BootFigures> {
  const stateDir = await mkdtemp(join(tmpdir(), 'dot-do-boot-'))
  const clear = leaving(() => rm(stateDir, { recursive: true, force: true }))
  try {
    const firstMs = await bootOnce(root, stateDir)
    const warm: number[] = []
    for (let start = 0; start < WARM_STARTS; start++) warm.push(await bootOnce(root, stateDir))
    return { firstMs, warmMs: median(warm) }
  } finally {
    await clear()
  }
}

async function bootOnce(root: string, stateDir: string): Promise<number> {
  proceed()
  const start = performance.now()
  // In a process group of its own, or Ctrl-C would reach it twice and cut its own ending short.
  const child = spawn(process.execPath, ['packages/local/src/dev.ts', '--port', '0', '--state', stateDir], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const end = leaving(async () => {
    child.kill('SIGTERM')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  })
  const late = setTimeout(end, GIVE_UP_MS)
  try {
    await ready(child)
    return performance.now() - start
  } finally {
    clearTimeout(late)
    await end()
  }
}

async function ready(child: ChildProcess): Promise<void> {
  let complaint = ''
  child.stderr?.on('data', (chunk: Buffer) => (complaint += chunk))
  if (!child.stdout) return
  for await (const line of createInterface({ input: child.stdout })) if (line.startsWith('ready ')) return
  throw new Error(`The platform ended before it was ready: ${complaint}`)
}
