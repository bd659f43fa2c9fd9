import { encodeCursor } from '@dot-do/worker-utils'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { as, type Db } from './as.ts'
import { startDb, type DbInProcess } from './in-process.ts'
import { LIBRARY, write } from './library.ts'

let running: DbInProcess
let db: Db

beforeAll(async () => {
  running = await startDb(['db'])
  await running.database.reset()
  await write(running, LIBRARY)
  db = as(running)
})
afterAll(() => running.close())

describe('a question that makes no sense is refused, and the field named', () => {
  const numbers = (length: number, value = 0.1) => Array.from({ length }, () => value)

  it.each([
    ['neither words nor vector', {}, 'q'],
    ['both', { q: 'a', embedding: numbers(384) }, 'embedding'],
    ['a vector by words', { embedding: numbers(384), mode: 'fullText' as const }, 'mode'],
    ['a vector of the wrong length', { embedding: numbers(383) }, 'embedding'],
    ['NaN in a vector', { embedding: [...numbers(383), Number.NaN] }, 'embedding.383'],
    ['infinity in a vector', { embedding: [...numbers(383), Number.POSITIVE_INFINITY] }, 'embedding.383'],
    ['a vector without direction', { embedding: numbers(384, 0) }, 'embedding'],
    ['no words', { q: '' }, 'q'],
    ['too many', { q: 'x'.repeat(1_001) }, 'q'],
    ['a NUL', { q: 'a\u0000b' }, 'q'],
    ['a filter on nothing there is', { q: 'zebra', filter: [{ field: 'nothing', op: 'eq' as const, value: 1 }] }, 'filter.0.field'],
  ])('%s', async (_name, input, path) => {
    await expect(db.search(input)).rejects.toMatchObject({ code: 'INVALID', details: [{ path }] })
  })
})

describe('a cursor', () => {
  it('of another question is refused', async () => {
    const { nextCursor } = await db.search({ q: 'zebra', limit: 1 })
    const cursor = nextCursor ?? ''

    for (const other of [{ q: 'heron' }, { q: 'zebra', mode: 'vector' as const }, { q: 'zebra', type: 'Animal' }, { q: 'zebra', id: 'animal/*' }]) {
      await expect(db.search({ ...other, cursor })).rejects.toMatchObject({ code: 'INVALID', details: [{ path: 'cursor' }] })
    }
  })

  it.each([encodeCursor([1, 'other']), encodeCursor(1), encodeCursor('zebra'), encodeCursor([]), encodeCursor(null), '%%%'])(
    'that is made up, %s, is refused',
    async (cursor) => {
      await expect(db.search({ q: 'zebra', cursor })).rejects.toMatchObject({ code: 'INVALID', details: [{ path: 'cursor' }] })
    },
  )

  it.each([0, -1, 1.5, 1_001, 1e300])('that was moved to %d is refused', async (offset) => {
    const { nextCursor } = await db.search({ q: 'zebra', limit: 1 })
    const [, hash] = JSON.parse(Buffer.from(nextCursor ?? '', 'base64url').toString()) as [number, string]

    await expect(db.search({ q: 'zebra', limit: 1, cursor: encodeCursor([offset, hash]) })).rejects.toMatchObject({ code: 'INVALID' })
  })
})
