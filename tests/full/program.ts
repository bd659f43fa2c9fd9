import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root of this workspace. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** How a program ended and what it wrote. */
export interface Ran {
  code: number
  stdout: string
  stderr: string
}

/** Runs a program that others wrote and a package of this workspace depends on, on this process's own Node; it gets a minute. */
export function runProgram(name: string, args: string[], env: Record<string, string> = {}): Promise<Ran> {
  const file = ['tests', 'scripts', '.'].map((folder) => join(ROOT, folder, 'node_modules/.bin', name)).find(existsSync)
  if (file === undefined) throw new Error(`No package here brings the program ${name}`)
  const PATH = `${join(process.execPath, '..')}:${process.env['PATH']}`
  return new Promise((resolve) => {
    execFile(file, args, { cwd: ROOT, timeout: 180_000, maxBuffer: 64 * 1_048_576, env: { ...process.env, PATH, ...env } }, (error, stdout, stderr) => {
      const code = typeof error?.code === 'number' ? error.code : error ? -1 : 0
      resolve({ code, stdout, stderr })
    })
  })
}
