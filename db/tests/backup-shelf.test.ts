import { randomBytes } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { copyKey, forgetExpired, label, openCopy, readLabels } from '../src/backup/shelf.ts'
import { uploadGzipped } from '../src/backup/upload.ts'
import { memoryBucket, unpacked } from './bucket.ts'

const NOW = '2026-11-21T03:00:00.000Z'
const MEBIBYTE = 1024 * 1024

/** Text in pieces of a mebibyte that no packing makes smaller, and an answer; it notes when it is done or left. */
async function* pieces(count: number, ended: () => void): AsyncGenerator<string, string> {
  try {
    for (let index = 0; index < count; index++) yield `${index} ${randomBytes(MEBIBYTE * 0.75).toString('base64')}\n`
    return 'the answer'
  } finally {
    ended()
  }
}

describe('an upload', () => {
  it('is one object that unpacks to what was given, in parts of one size, however large it is', async () => {
    const { bucket, objects, sizes } = memoryBucket()
    let given = ''
    async function* watched() {
      for await (const piece of pieces(24, () => undefined)) {
        given += piece
        yield piece
      }
      return 7
    }

    const { sizeBytes, answer } = await uploadGzipped(watched(), 'a', bucket)

    const stored = objects.get('a')
    expect(answer).toBe(7)
    expect(stored?.bytes.byteLength).toBe(sizeBytes)
    expect(sizes.slice(0, -1)).toEqual(sizes.slice(1).map(() => 8 * MEBIBYTE))
    expect(sizes.length).toBeGreaterThan(1)
    expect((await unpacked(stored ?? { bytes: new Uint8Array(), uploaded: new Date() })) === given).toBe(true)
  })

  it('that R2 does not take leaves nothing, and lets go of what it read', async () => {
    const { bucket, objects, aborted } = memoryBucket({ failAtPart: 2 })
    let isEnded = false

    const failed = uploadGzipped(
      pieces(64, () => (isEnded = true)),
      'a',
      bucket,
    )

    await expect(failed).rejects.toMatchObject({ code: 'UPSTREAM' })
    expect({ objects: objects.size, aborted: aborted(), isEnded }).toEqual({ objects: 0, aborted: 1, isEnded: true })
  })

  it('of what cannot be read leaves nothing, and says why', async () => {
    const { bucket, objects, aborted } = memoryBucket()
    async function* failing(): AsyncGenerator<string, string> {
      yield 'one\n'
      throw Object.assign(new Error('The database cannot answer now'), { code: 'UNAVAILABLE' })
    }

    await expect(uploadGzipped(failing(), 'a', bucket)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect({ objects: objects.size, aborted: aborted() }).toEqual({ objects: 0, aborted: 1 })
  })
})

describe('copies in the bucket', () => {
  let memory: ReturnType<typeof memoryBucket>
  beforeEach(() => {
    memory = memoryBucket()
  })

  async function copy(at: string): Promise<void> {
    const key = copyKey(at)
    const { sizeBytes } = await uploadGzipped(
      pieces(0, () => undefined),
      key,
      memory.bucket,
    )
    await label({ key, at, sizeBytes, rows: 1, services: ['db'] }, memory.bucket)
  }
  const timesOf = async (limit = 100, before?: string) => (await readLabels({ before, limit }, memory.bucket)).map(({ at }) => at)

  it('are listed newest first, one more than was asked for, from any place on', async () => {
    const times = ['2026-11-19T03:00:00.000Z', '2026-11-21T03:00:00.000Z', '2026-11-20T03:00:00.000Z', '2026-11-18T03:00:00.000Z']
    for (const time of times) await copy(time)

    expect(await timesOf()).toEqual(times.toSorted().toReversed())
    expect(await timesOf(1)).toEqual(['2026-11-21T03:00:00.000Z', '2026-11-20T03:00:00.000Z'])
    expect(await timesOf(1, '2026-11-20T03:00:00.000Z')).toEqual(['2026-11-19T03:00:00.000Z', '2026-11-18T03:00:00.000Z'])
  })

  it('that were not finished are neither listed nor read', async () => {
    const at = '2026-11-20T03:00:00.000Z'
    await uploadGzipped(
      pieces(1, () => undefined),
      copyKey(at),
      memory.bucket,
    )

    expect(await timesOf()).toEqual([])
    await expect(openCopy(copyKey(at).slice('backups/'.length), memory.bucket)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('are read by their name and by no other', async () => {
    await copy(NOW)

    expect((await openCopy('2026-11-21T03-00-00.000Z.ndjson.gz', memory.bucket)).size).toBeGreaterThan(0)
    for (const name of ['2026-11-21T03-00-00.000Z.json', '2026-11-21T03:00:00.000Z.ndjson.gz', '../db', ''])
      await expect(openCopy(name, memory.bucket)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('that are too old are removed with their labels, and so is what an interrupted one left a day ago; what is not ours stays', async () => {
    for (const time of ['2025-10-01T03:00:00.000Z', '2026-10-01T03:00:00.000Z', '2026-10-02T03:00:00.000Z', NOW]) await copy(time)
    const left = { bytes: new Uint8Array(1), uploaded: new Date('2026-11-20T02:00:00.000Z') }
    memory.objects.set(copyKey('2026-11-20T02:00:00.000Z'), left)
    memory.objects.set(copyKey('2026-11-21T02:00:00.000Z'), { ...left, uploaded: new Date('2026-11-21T02:00:00.000Z') })
    memory.objects.set('backups/notes.txt', left)
    memory.objects.set('other', left)

    await forgetExpired(NOW, memory.bucket)

    expect(await timesOf()).toEqual([NOW, '2026-10-01T03:00:00.000Z'])
    expect([...memory.objects.keys()].filter((key) => !key.endsWith('.json')).sort()).toEqual([
      'backups/2026-10-01T03-00-00.000Z.ndjson.gz',
      'backups/2026-11-21T02-00-00.000Z.ndjson.gz',
      'backups/2026-11-21T03-00-00.000Z.ndjson.gz',
      'backups/notes.txt',
      'other',
    ])
  })
})
