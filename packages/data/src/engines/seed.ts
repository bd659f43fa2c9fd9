import { PGlite } from '@electric-sql/pglite'
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, URL } from 'node:url'

const cache = fileURLToPath(new URL('../../node_modules/.cache/pglite/', import.meta.url))

/**
 * An empty database as a tar: initdb takes seconds, loading this a few tenths. It is made once per PGlite version and kept beside the installed packages;
 * where that place cannot be written, it is made anew each time.
 */
export async function seedDump(): Promise<Blob> {
  const file = join(cache, `${await pgliteVersion()}.tar`)
  const cached = await readFile(file).catch(() => undefined)
  if (cached) return new Blob([cached])
  const pglite = await PGlite.create()
  const dump = await pglite.dumpDataDir('none')
  await pglite.close()
  await keep(file, new Uint8Array(await dump.arrayBuffer())).catch(() => undefined)
  return dump
}

/** Renamed into place, so that nobody reads a half-written one. */
async function keep(file: string, bytes: Uint8Array): Promise<void> {
  const draft = `${file}.${process.pid}`
  await mkdir(cache, { recursive: true })
  await writeFile(draft, bytes)
  await rename(draft, file)
}

async function pgliteVersion(): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(new URL('../package.json', import.meta.resolve('@electric-sql/pglite')), 'utf8'))
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : 'unknown'
}

/** The embedded engine's directory: PostgreSQL's files in `data`, and the file `filled` once they are complete. */
export interface Directory {
  path: string
  isFilled: boolean
  markFilled(): Promise<void>
}

/** Prepares a directory. Files left by a first start that was killed before it could answer anyone are removed: they hold no one's rows. */
export async function directory(dir: string): Promise<Directory> {
  const path = join(dir, 'data')
  const mark = join(dir, 'filled')
  const isFilled = await stat(mark).then(
    () => true,
    () => false,
  )
  if (!isFilled) await rm(path, { recursive: true, force: true })
  await mkdir(path, { recursive: true, mode: 0o700 })
  return { path, isFilled, markFilled: () => writeFile(mark, '') }
}
