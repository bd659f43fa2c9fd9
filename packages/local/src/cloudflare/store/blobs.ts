import { createHash } from 'node:crypto'
import { access, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { makePrivateDirectory, namesIn, readIfThere, writeDurably } from './durable-file.ts'
import type { Blob } from './script.ts'

/** Bytes by their SHA-256, in 256 folders so that none grows large. */
export class Blobs {
  readonly #dir: string

  constructor(dir: string) {
    this.#dir = dir
  }

  /** Keeps bytes; those that are kept already cost one look. */
  async write(bytes: Uint8Array): Promise<Blob> {
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    const file = this.#fileOf(sha256)
    if (!(await isThere(file))) {
      await makePrivateDirectory(join(file, '..'))
      await writeDurably(file, bytes)
    }
    return { sha256, sizeBytes: bytes.byteLength }
  }

  /** The bytes; fails when they are missing, since whoever knows a hash has it from a record. */
  async read(sha256: string): Promise<Buffer> {
    const bytes = await readIfThere(this.#fileOf(sha256))
    if (bytes === undefined) throw new Error(`The store has lost the bytes ${sha256}`)
    return bytes
  }

  /** Removes all bytes but those named, and what unfinished writes left. Nothing may be writing meanwhile. */
  async sweep(wanted: ReadonlySet<string>): Promise<void> {
    await makePrivateDirectory(this.#dir)
    for (const folder of await namesIn(this.#dir)) {
      const names = await namesIn(join(this.#dir, folder), { sweepDrafts: true })
      for (const name of names) if (!wanted.has(name)) await rm(join(this.#dir, folder, name), { force: true })
    }
  }

  #fileOf(sha256: string): string {
    if (!/^[0-9a-f]{64}$/.test(sha256)) throw new Error('A blob is named by 64 hex digits')
    return join(this.#dir, sha256.slice(0, 2), sha256)
  }
}

async function isThere(file: string): Promise<boolean> {
  return await access(file).then(
    () => true,
    () => false,
  )
}
