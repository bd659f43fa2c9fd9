import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { LOCK_FILES } from '../state-lock.ts'

/** Things of a state directory that belong to one start. */
const PASSING = ['tmp']

/** Readies a state directory for a start: what an earlier one left half-used goes, and with `fresh` all it holds. Only the holder of its lock may call it. */
export async function clearState(stateDir: string, fresh: boolean): Promise<void> {
  const content = fresh ? (await readdir(stateDir)).filter((name) => !LOCK_FILES.includes(name)) : PASSING
  await Promise.all(content.map((name) => rm(join(stateDir, name), { recursive: true, force: true })))
  await mkdir(join(stateDir, 'tmp'), { recursive: true })
}
