import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { ROOT, type Ran } from './program.ts'

/** A command of this workspace that runs. */
export interface RunningCommand {
  pid: number
  ended: Promise<Ran>
}

/** Starts the program behind `pnpm db:…`, without a terminal; its environment has nothing of this one's databases and keys. */
export function startCommand(script: string, args: string[], env: Record<string, string> = {}): RunningCommand {
  const { DATABASE_URL: _url, DB_ROLE_SECRET: _secret, DOTDO_API_KEY: _key, CLICKHOUSE_URL: _clickhouse, ...clean } = process.env
  const child = spawn(process.execPath, [join(ROOT, 'scripts', script), ...args], { cwd: ROOT, env: { ...clean, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const ended = new Promise<Ran>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code: code ?? -1, stdout, stderr }))
  })
  return { pid: child.pid ?? 0, ended }
}

/** The same, to its end. */
export function runCommand(script: string, args: string[], env: Record<string, string> = {}): Promise<Ran> {
  return startCommand(script, args, env).ended
}
