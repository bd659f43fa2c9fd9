import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { readBackupFile, verifyBackupFile, writeBackupFile } from '../src/backup-file.ts'
import { FORMAT, sealed } from '../src/backup-format.ts'

const ROWS = ['["a","1"]', '["b",null]', '["ü 漢字",""]']

/** A small backup, as it would be written of a table with three rows. */
async function* backup(): AsyncGenerator<string> {
  yield* sealed(open())
}

async function* open(): AsyncGenerator<string> {
  yield JSON.stringify({ ...FORMAT, at: '2026-11-21T12:00:00.000Z', engine: 'PostgreSQL', migrations: [] })
  const columns = [
    { name: 'id', type: 'text' },
    { name: 'n', type: 'integer' },
  ]
  yield JSON.stringify({ table: { schema: 'notes', name: 'pages', columns } })
  yield* ROWS
  const sha256 = createHash('sha256')
    .update(`${ROWS.join('\n')}\n`)
    .digest('hex')
  yield JSON.stringify({ end: { tables: [{ schema: 'notes', name: 'pages', rows: 3, sha256 }], sequences: [] } })
}

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'backup-file-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}

async function rowsIn(file: string): Promise<string[]> {
  const rows: string[] = []
  for await (const record of readBackupFile(file)) if ('row' in record) rows.push(record.line)
  return rows
}

it('is whole and for its owner alone once it has its name', async () => {
  const path = await folder()
  const file = join(path, 'one.ndjson.gz')

  const { sizeBytes } = await writeBackupFile(file, backup())

  expect(await rowsIn(file)).toEqual(ROWS)
  expect(await stat(file)).toMatchObject({ size: sizeBytes })
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect(await readdir(path)).toEqual(['one.ndjson.gz'])
})

it('leaves nothing behind when the copy fails on the way', async () => {
  const path = await folder()
  async function* failing(): AsyncGenerator<string> {
    yield 'x'.repeat(200_000)
    throw new Error('The database is gone')
  }

  await expect(writeBackupFile(join(path, 'one'), failing())).rejects.toThrow('The database is gone')

  expect(await readdir(path)).toEqual([])
})

it('keeps a file that is there, finished or not', async () => {
  const path = await folder()
  await writeFile(join(path, 'one'), 'mine')
  await writeFile(join(path, 'two.partial'), 'another’s')

  await expect(writeBackupFile(join(path, 'one'), backup())).rejects.toThrow('one is there already')
  await expect(writeBackupFile(join(path, 'two'), backup())).rejects.toThrow('another backup is being written, or one was interrupted')

  expect(await readFile(join(path, 'one'), 'utf8')).toBe('mine')
  expect(await readFile(join(path, 'two.partial'), 'utf8')).toBe('another’s')
})

it('is refused, or says the same, whichever bit of it flips and wherever it is cut', async () => {
  const path = await folder()
  const file = join(path, 'one')
  await writeBackupFile(file, backup())
  const bytes = await readFile(file)
  const broken = join(path, 'broken')
  const attempt = async (content: Uint8Array): Promise<string[] | string> => {
    await writeFile(broken, content)
    return rowsIn(broken).catch((error: Error) => error.name)
  }
  const outcomes: (string[] | string)[] = []

  for (let at = 0; at < bytes.length; at++) {
    const flipped = Buffer.from(bytes)
    flipped.writeUInt8(bytes.readUInt8(at) ^ (1 << (at % 8)), at)
    outcomes.push(await attempt(flipped))
    expect(await attempt(bytes.subarray(0, at)), `cut at ${at}`).toBe('BackupDamaged')
  }

  expect(outcomes.filter((outcome) => outcome !== 'BackupDamaged' && JSON.stringify(outcome) !== JSON.stringify(ROWS))).toEqual([])
  expect(outcomes.filter((outcome) => outcome === 'BackupDamaged').length).toBeGreaterThan(bytes.length * 0.9)
})

it('is known for what it is not', async () => {
  const path = await folder()
  const file = join(path, 'text')
  await writeFile(file, 'not gzip at all')

  await expect(verifyBackupFile(file)).rejects.toThrow('This is no backup, or a damaged or cut one')
  await expect(verifyBackupFile(join(path, 'none'))).rejects.toThrow('none is not there')
})
