import { ServiceError } from '@dot-do/worker-utils'
import { linesOf } from '@dot-do/worker-utils/ndjson'
import { createReadStream } from 'node:fs'
import { open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { BackupDamaged, readRecords } from './backup-format.ts'
import type { BackupHeader, BackupRecord } from './backup-format.ts'

/** A row is one line; PostgreSQL's largest would not fit a string of JavaScript. */
const MAX_LINE_BYTES = 256 * 1024 * 1024

/**
 * Writes lines as a file of mode 600, gzipped. It has its name once it is whole and on the disk; until then it lies beside that as `<file>.partial`.
 * Fails, and leaves nothing behind, when there is a file of that name.
 */
export async function writeBackupFile(file: string, lines: AsyncIterable<string>): Promise<{ sizeBytes: number }> {
  await demandFree(file)
  const draft = `${file}.partial`
  const handle = await open(draft, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'EEXIST' ? new Error(`${draft} is there: another backup is being written, or one was interrupted; remove it`) : error
  })
  try {
    await pipeline(Readable.from(chunked(lines)), createGzip(), handle.createWriteStream({ flush: true }))
    await demandFree(file)
    await rename(draft, file)
    await syncDirectory(dirname(file))
    return { sizeBytes: (await stat(file)).size }
  } catch (error) {
    await handle.close().catch(() => undefined)
    await rm(draft, { force: true })
    throw error
  }
}

/** Reads a backup's records, one at a time; see readRecords for what it promises. */
export async function* readBackupFile(file: string): AsyncGenerator<BackupRecord> {
  const source = createReadStream(file)
  const plain = createGunzip()
  // Errors of either end come out at the end that is read.
  source.on('error', (error) => plain.destroy(error))
  source.pipe(plain)
  try {
    yield* readRecords(linesOf(plain, MAX_LINE_BYTES))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') throw new Error(`${file} is not there`, { cause: error })
    const isBroken = isGzipError(error) || error instanceof ServiceError
    throw isBroken ? new BackupDamaged('This is no backup, or a damaged or cut one: it does not unpack to lines of text', { cause: error }) : error
  } finally {
    source.destroy()
    plain.destroy()
  }
}

/** Reads a backup from beginning to end, so that a damaged one is known before anything is touched. */
export async function verifyBackupFile(file: string): Promise<BackupHeader> {
  let header: BackupHeader | undefined
  for await (const record of readBackupFile(file)) if ('header' in record) header = record.header
  if (!header) throw new BackupDamaged('The backup is empty')
  return header
}

/** Lines in pieces of a size that is worth compressing. */
async function* chunked(lines: AsyncIterable<string>): AsyncGenerator<string> {
  let chunk = ''
  for await (const line of lines) {
    chunk += `${line}\n`
    if (chunk.length < 65_536) continue
    yield chunk
    chunk = ''
  }
  yield chunk
}

async function demandFree(file: string): Promise<void> {
  if (await stat(file).catch(() => undefined)) throw new Error(`${file} is there already`)
}

/** A new name is safe from a power failure only once its directory is written. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  await directory.sync().finally(() => directory.close())
}

function isGzipError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('Z_')
}
