import { spawn } from 'node:child_process'
import { readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const PID_VARIABLE = 'LOCAL_WORKERD_PID_FILE'

/** Waits for its input to end, which is when the host ended in whatever way, and then ends the process whose id the file holds. */
const WATCHER = 'cat >/dev/null; read -r pid <"$0" && kill -9 "$pid"'

/** What makes workerd end with its host, even when that is killed by `kill -9`. */
export interface Leash {
  /** Environment variables that workerd must be started with. */
  env: Record<string, string>
  /** The process id of the workerd that was started last. */
  pid(): Promise<number | undefined>
  /** To be called when workerd has ended. */
  release(): Promise<void>
}

/** Leashes the workerd processes to come; each listens on the debug address, if it is to have one. Only the holder of the state directory's lock may call it. */
export async function leashWorkerd(stateDir: string, debugAddress?: string): Promise<Leash> {
  const pidFile = pidFileOf(stateDir)
  // Miniflare starts whatever this variable names in place of workerd.
  process.env['MINIFLARE_WORKERD_PATH'] = fileURLToPath(new URL('workerd.sh', import.meta.url))
  process.env['LOCAL_WORKERD'] = workerdPath()
  const watcher = spawn('/bin/sh', ['-c', WATCHER, pidFile], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  watcher.unref()
  // A watcher that was itself killed is noticed by nothing else, and no reason to end.
  watcher.stdin.on('error', () => {})
  return {
    env: { [PID_VARIABLE]: pidFile, ...(debugAddress === undefined ? {} : { LOCAL_WORKERD_DEBUG_ADDRESS: debugAddress }) },
    pid: () => readPid(pidFile),
    async release() {
      await rm(pidFile, { force: true })
      watcher.stdin.end()
    },
  }
}

/** Ends the workerd that a killed host left behind, should its watcher have been killed too. Only the holder of the state directory's lock may call it. */
export async function endOrphan(stateDir: string): Promise<void> {
  const pidFile = pidFileOf(stateDir)
  const pid = await readPid(pidFile)
  for (let round = 0; round < 100 && pid !== undefined && (await isOurs(pid, pidFile)); round++) {
    kill(pid)
    await setTimeout(10)
  }
  await rm(pidFile, { force: true })
}

/** The killed host's watcher may have been faster. */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

/** Whether a process is the one that was noted, and not another that was given its number since: the file it was noted in is in its environment. */
async function isOurs(pid: number, pidFile: string): Promise<boolean> {
  const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')
  return environment.split('\0').includes(`${PID_VARIABLE}=${pidFile}`)
}

function pidFileOf(stateDir: string): string {
  return join(stateDir, 'workerd.pid')
}

async function readPid(file: string): Promise<number | undefined> {
  const pid = Number.parseInt(await readFile(file, 'utf8').catch(() => ''))
  return Number.isNaN(pid) ? undefined : pid
}

function workerdPath(): string {
  const fromMiniflare = createRequire(createRequire(import.meta.url).resolve('miniflare'))
  const workerd: { default: string } = fromMiniflare('workerd')
  return workerd.default
}
