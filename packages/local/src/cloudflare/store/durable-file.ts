import { randomUUID } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** What names of unfinished files begin with; no file that is meant to be read does. */
const DRAFT = '.draft-'

/** Makes a directory that only its owner can enter. */
export async function makePrivateDirectory(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 })
}

/** Writes a file that only its owner can read. Once this is done it survives a power cut; before, the old content does. */
export async function writeDurably(file: string, content: string | Uint8Array): Promise<void> {
  const draft = join(dirname(file), `${DRAFT}${randomUUID()}`)
  try {
    const handle = await open(draft, 'wx', 0o600)
    try {
      await handle.writeFile(content)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(draft, file)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
  await syncDirectory(dirname(file))
}

/** Removes a file for good; one that is not there is removed already. */
export async function removeDurably(file: string): Promise<void> {
  await rm(file, { force: true })
  await syncDirectory(dirname(file))
}

/** Names in a directory, sorted; drafts that an earlier process left are removed on the way when asked. */
export async function namesIn(dir: string, { sweepDrafts = false } = {}): Promise<string[]> {
  const names = await readdir(dir)
  const drafts = names.filter((name) => name.startsWith(DRAFT))
  if (sweepDrafts) await Promise.all(drafts.map((name) => rm(join(dir, name), { force: true })))
  return names.filter((name) => !name.startsWith(DRAFT)).sort()
}

/** The bytes of a file, or undefined where there is none. */
export async function readIfThere(file: string): Promise<Buffer | undefined> {
  return await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
}

/** A rename is on the disk once its directory is. */
async function syncDirectory(dir: string): Promise<void> {
  const handle = await open(dir, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
