import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'

/** Files by path; undefined takes one away that a tree is built upon. */
export type Files = Record<string, string | undefined>

/** Writes files into a folder of their own, which goes when the test ends, and gives its path. */
export async function tree(files: Files): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'check-'))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  for (const [file, text] of Object.entries(files)) {
    if (text === undefined) continue
    await mkdir(dirname(join(root, file)), { recursive: true })
    await writeFile(join(root, file), text)
  }
  return root
}
