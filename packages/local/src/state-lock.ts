import { mkdir, readFile } from 'node:fs/promises'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** The right to use a directory, held until released or until the process ends. */
export interface StateLock {
  /** Gives the right up; a second time is harmless. */
  release(): void
}

/** Files of a locked directory that must stay where they are for as long as it is locked. */
export const LOCK_FILES = ['lock.sqlite', 'lock.pid']

/**
 * Takes the only right to use a directory, which is made when absent. Fails with a sentence that names the holder's process id.
 *
 * The lock is SQLite's on a file of its own, thus the operating system's: it ends with the process however that dies, a reused process id cannot keep it, and a
 * second opener within one process is refused too. The process id beside it serves the message only.
 */
export async function acquireStateLock(dir: string): Promise<StateLock> {
  await mkdir(dir, { recursive: true })
  const pidFile = join(dir, 'lock.pid')
  const database = new DatabaseSync(join(dir, 'lock.sqlite'), { timeout: 0 })
  try {
    database.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    database.close()
    if (!isBusy(cause)) throw cause
    throw new Error(`${dir} is in use by process ${await holderOf(pidFile)}`, { cause })
  }
  writeFileSync(pidFile, String(process.pid))
  return { release: () => database.isOpen && database.close() }
}

async function holderOf(pidFile: string): Promise<string> {
  return (await readFile(pidFile, 'utf8').catch(() => '')) || 'unknown'
}

/** Result code 5 is SQLITE_BUSY: https://www.sqlite.org/rescode.html#busy */
function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === 5
}
