import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** What a command-line tool answered. */
export interface ToolAnswer {
  code: number
  stdout: string
  stderr: string
}

/** The tools and the scripts that start them: those this package declares, whatever tree they look at. */
const TOOLS = {
  oxlint: 'oxlint/bin/oxlint',
  prettier: 'prettier/bin/prettier.cjs',
  redocly: '@redocly/cli/bin/cli.js',
  tsc: 'typescript/bin/tsc',
}

/** Gives oxlint its types. */
const TYPE_AWARE_LINTER = 'oxlint-tsgolint/bin/tsgolint.js'

/** The most a tool may say. */
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024

/** Runs a tool in a folder and waits for it. A tool that finds something wrong is an answer; one that cannot start is an error. */
export function runTool(name: keyof typeof TOOLS, args: string[], folder: string): Promise<ToolAnswer> {
  const env = {
    ...process.env,
    NO_COLOR: '1',
    REDOCLY_TELEMETRY: 'off',
    REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true',
    OXLINT_TSGOLINT_PATH: installed(TYPE_AWARE_LINTER),
  }
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [installed(TOOLS[name]), ...args], { cwd: folder, env, maxBuffer: MAX_OUTPUT_BYTES }, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') reject(error)
      else resolve({ code: Number(error?.code ?? 0), stdout, stderr })
    })
  })
}

function installed(path: string): string {
  return fileURLToPath(new URL(`../node_modules/${path}`, import.meta.url))
}
