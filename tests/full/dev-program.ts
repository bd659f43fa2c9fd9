import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { familyOf, killAll, survivorsOf } from './processes.ts'
import { ROOT } from './program.ts'

/** What `DIR/dev.json` tells. */
export interface DevFile {
  url: string
  adminKey: string
  pid: number
  services: string[]
}

/** `pnpm dev` as it runs without a terminal. */
export interface DevProgram {
  pid: number
  stateDir: string
  /** The lines of its output so far. */
  lines: string[]
  errors(): string
  /** Its exit code; null when a signal ended it. */
  exit: Promise<number | null>
  /** Resolves with its last line of start; fails with what it said when it ends before. */
  ready(): Promise<string>
  devFile(): Promise<DevFile>
  /** Ends it and whatever it started, in whatever state they are. */
  end(): Promise<void>
}

/** An empty state directory. */
export async function stateDirectory(): Promise<{ dir: string; remove(): Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), 'dot-do-full-'))
  return { dir, remove: () => rm(dir, { recursive: true, force: true, maxRetries: 5 }) }
}

/** Runs the program of `pnpm dev` over this workspace, on a free port unless told. */
export function runDev(stateDir: string, args: string[] = ['--port', '0']): DevProgram {
  const program = [join(ROOT, 'packages/local/src/dev.ts'), '--state', stateDir, ...args]
  const child = spawn(process.execPath, program, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
  const pid = child.pid ?? 0
  const lines: string[] = []
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const started = new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      lines.push(line)
      if (line.startsWith('ready ')) resolve(line)
    })
    void exit.then((code) => reject(new Error(`pnpm dev ended with ${code}: ${errors}`)))
  })
  started.catch(() => undefined)
  return {
    pid,
    stateDir,
    lines,
    exit,
    errors: () => errors,
    ready: () => started,
    devFile: async () => JSON.parse(await readFile(join(stateDir, 'dev.json'), 'utf8')) as DevFile,
    async end() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const family = await familyOf(pid)
      killAll(family)
      await survivorsOf(family)
    },
  }
}
