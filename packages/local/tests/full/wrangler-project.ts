import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

/** wrangler, as the package of the end-to-end tests depends on it. */
const WRANGLER = fileURLToPath(new URL('../../../../tests/node_modules/wrangler/bin/wrangler.js', import.meta.url))

/** How a run of wrangler ended. */
export interface WranglerRun {
  code: number
  /** What it wrote to both, in that order. */
  output: string
}

/** A folder for wrangler to work in, and wrangler pointed at an API. */
export interface WranglerProject {
  dir: string
  write(file: string, content: string | Uint8Array): Promise<void>
  /** Runs a command to its end; it gets a minute. `input` is what it reads. */
  wrangler(args: string[], options?: { input?: string; token?: string }): Promise<WranglerRun>
  /** Starts a command that ends only when told. */
  start(args: string[]): ChildProcess
}

/** Makes an empty project, gone at the end of the test. */
export async function wranglerProject(apiUrl: string): Promise<WranglerProject> {
  const dir = await mkdtemp(join(tmpdir(), 'wrangler-project-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  const envWith = (token: string): NodeJS.ProcessEnv => ({
    PATH: process.env['PATH'],
    HOME: dir,
    XDG_CONFIG_HOME: dir,
    CI: 'true',
    WRANGLER_SEND_METRICS: 'false',
    // It starts a third faster when its code is compiled already.
    NODE_COMPILE_CACHE: join(tmpdir(), 'wrangler-compiled'),
    CLOUDFLARE_API_BASE_URL: apiUrl,
    CLOUDFLARE_API_TOKEN: token,
    CLOUDFLARE_ACCOUNT_ID: 'a',
  })
  return {
    dir,
    async write(file, content) {
      await mkdir(dirname(join(dir, file)), { recursive: true })
      await writeFile(join(dir, file), content)
    },
    wrangler: (args, { input = '', token = 'test-token' } = {}) =>
      new Promise((resolve) => {
        const child = execFile(process.execPath, [WRANGLER, ...args], { cwd: dir, env: envWith(token), timeout: 180_000 }, (error, stdout, stderr) => {
          const code = typeof error?.code === 'number' ? error.code : error ? -1 : 0
          resolve({ code, output: stdout + stderr })
        })
        child.stdin?.end(input)
      }),
    start: (args) => spawn(process.execPath, [WRANGLER, ...args], { cwd: dir, env: envWith('test-token'), stdio: ['ignore', 'pipe', 'pipe'] }),
  }
}
