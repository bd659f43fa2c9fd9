import { execFile } from 'node:child_process'
import { dirname, delimiter } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What a command-line tool answered. */
export interface ToolAnswer {
  code: number
  stdout: string
  stderr: string
}

/** Where the tools of this package lie: those it declares, in the versions it declares, whatever tree they look at. */
export const TOOLS = fileURLToPath(new URL('../node_modules/.bin/', import.meta.url))

/** The most a tool may say. */
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024

/** Runs a tool in a folder and waits for it. A tool that finds something wrong is an answer; one that cannot start is an error. */
export function runTool(name: string, args: string[], folder: string): Promise<ToolAnswer> {
  // The scripts that npm packages install as tools look for `node` by name: they get the one that runs us.
  const env = { ...process.env, PATH: [TOOLS, dirname(process.execPath), process.env['PATH']].join(delimiter), NO_COLOR: '1' }
  return new Promise((resolve, reject) => {
    execFile(`${TOOLS}${name}`, args, { cwd: folder, env, maxBuffer: MAX_OUTPUT_BYTES }, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') reject(error)
      else resolve({ code: Number(error?.code ?? 0), stdout, stderr })
    })
  })
}
