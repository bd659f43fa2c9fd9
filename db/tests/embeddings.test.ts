import { callOf, type Call } from '@dot-do/worker-kernel/call'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { hashedEmbedding, HASHING_MODEL } from '../src/embedder.ts'
import { embedLater, embedThings } from '../src/embedding.ts'
import { keepEmbeddings } from '../src/embeddings.ts'
import type { Env } from '../src/env.ts'
import { as, type Db } from './as.ts'
import { owned, startDb, type DbInProcess } from './in-process.ts'
import { axis, keptEmbeddings, withModel } from './library.ts'

let running: DbInProcess
let db: Db
let keeper: Db

beforeAll(async () => {
  running = await startDb(['db'])
})
beforeEach(async () => {
  await running.database.reset()
  db = as(running)
  keeper = as(running, 'default', ['db:maintain', 'things:write'])
})
afterAll(() => running.close())

async function note(id: string, content: string, ns = 'default'): Promise<void> {
  await as(running, ns).upsert({ $type: 'Note', $id: id, content })
}

/** A call and what it deferred. */
function deferring(env: Env): { call: Call<Env>; deferred: Promise<unknown>[] } {
  const deferred: Promise<unknown>[] = []
  return { call: callOf({ env, waitUntil: (promise) => void deferred.push(promise) }, 'rpc'), deferred }
}

describe('embedLater', () => {
  it('makes the embeddings of what was written, in the background', async () => {
    await note('a', 'zebra')
    await owned(running.database, 'delete from db.embeddings')
    const { call, deferred } = deferring(running.env)

    embedLater([{ ns: 'default', id: 'a' }], call)
    await Promise.all(deferred)

    expect(await keptEmbeddings(running)).toEqual([['a', HASHING_MODEL, '1', 't']])
  })

  it('removes the embedding of a thing that was deleted', async () => {
    await note('a', 'zebra')
    await keeper.generateMissingEmbeddings({})
    await db.delete({ id: 'a' })

    await embedThings([{ ns: 'default', id: 'a' }], running.env)

    expect(await keptEmbeddings(running)).toEqual([])
  })

  it('never throws, and leaves to the hourly run what failed', async () => {
    await note('a', 'zebra')
    await owned(running.database, 'delete from db.embeddings')
    const broken = withModel(running, () => {
      throw new Error('away')
    })
    const { call, deferred } = deferring(broken)

    embedLater([{ ns: 'default', id: 'a' }], call)

    expect(await Promise.allSettled(deferred)).toEqual([{ status: 'fulfilled', value: undefined }])
    expect(await keeper.generateMissingEmbeddings({})).toEqual({ made: 1, missing: 0 })
  })

  it('asks no model for what has not changed', async () => {
    await note('a', 'zebra')
    let asked = 0
    const env = withModel(running, (texts) => {
      asked += texts.length
      return { data: texts.map(() => axis(0)) }
    })

    await embedThings([{ ns: 'default', id: 'a' }], env)
    await embedThings([{ ns: 'default', id: 'a' }], env)

    expect(asked).toBe(1)
  })
})

describe('a result that comes late', () => {
  it('is dropped when the thing has changed since', async () => {
    await note('a', 'first')
    await note('a', 'second')
    await owned(running.database, 'delete from db.embeddings')

    await running.database.execute('db')([keepEmbeddings([{ ns: 'default', id: 'a', version: 1, embedding: axis(0) }], HASHING_MODEL)])

    expect(await keptEmbeddings(running)).toEqual([])
  })

  it('does not take the place of a newer one', async () => {
    await note('a', 'first')
    await keeper.embed({ id: 'a' })
    await owned(running.database, `update db.embeddings set version = 2`)

    await running.database.execute('db')([keepEmbeddings([{ ns: 'default', id: 'a', version: 1, embedding: axis(0) }], 'another model')])

    expect(await keptEmbeddings(running)).toEqual([['a', HASHING_MODEL, '2', 't']])
  })

  it('is dropped when the thing was deleted', async () => {
    await note('a', 'first')
    await db.delete({ id: 'a' })
    await owned(running.database, 'delete from db.embeddings')

    await running.database.execute('db')([keepEmbeddings([{ ns: 'default', id: 'a', version: 2, embedding: axis(0) }], HASHING_MODEL)])

    expect(await keptEmbeddings(running)).toEqual([])
  })
})

describe('embed', () => {
  it('makes an embedding anew and tells by what and of which version', async () => {
    await note('a', 'first')
    await note('a', 'zebra')
    await owned(running.database, `update db.embeddings set embedding = null`)

    expect(await keeper.embed({ id: 'a' })).toEqual({ model: HASHING_MODEL, version: 2 })
    const [stored] = await owned(running.database, 'select embedding::text from db.embeddings')
    expect(JSON.parse(stored?.[0] ?? '[]')).toHaveLength(384)
  })

  it('is of title, id, content and texts', async () => {
    await db.upsert({ $type: 'Note', $id: 'the/id', content: 'content', data: { title: 'Title', more: ['text'] } })
    await keeper.embed({ id: 'the/id' })

    const [stored] = await owned(running.database, 'select embedding::text from db.embeddings')

    const embedding = (JSON.parse(stored?.[0] ?? '[]') as number[]).map((number) => number.toFixed(4))
    expect(embedding).toEqual(hashedEmbedding('Title the id content text')?.map((number) => number.toFixed(4)))
  })

  it('of a thing that is not there, or is another’s, is NOT_FOUND', async () => {
    await note('theirs', 'x', 'acme')
    await note('gone', 'x')
    await db.delete({ id: 'gone' })

    const refused = await Promise.allSettled([
      keeper.embed({ id: 'none' }),
      keeper.embed({ id: 'gone' }),
      keeper.embed({ id: 'theirs' }),
      keeper.embed({ id: 'theirs', ns: 'acme' }),
    ])

    expect(refused.map((outcome) => outcome.status === 'rejected' && (outcome.reason as { code: string }).code)).toEqual(refused.map(() => 'NOT_FOUND'))
  })
})

describe('generateMissingEmbeddings', () => {
  beforeEach(async () => {
    for (const id of ['a', 'b', 'c']) await note(id, `zebra ${id}`)
    await note('d', 'zebra', 'acme')
    await owned(running.database, 'delete from db.embeddings')
  })

  it('makes what is missing in every namespace, so many at a time, and tells what is left', async () => {
    expect(await keeper.generateMissingEmbeddings({ limit: 3 })).toEqual({ made: 3, missing: 1 })
    expect(await keeper.generateMissingEmbeddings({ limit: 3 })).toEqual({ made: 1, missing: 0 })
    expect(await keeper.generateMissingEmbeddings({ limit: 3 })).toEqual({ made: 0, missing: 0 })
    expect(await keptEmbeddings(running)).toHaveLength(4)
  })

  it('makes anew what is of another model or of an older version, and removes what is of a deleted thing', async () => {
    await keeper.generateMissingEmbeddings({})
    await owned(running.database, `update db.embeddings set model = 'other' where id = 'a'`)
    await owned(running.database, `update db.things set version = 2 where id = 'b'`)
    await owned(running.database, `update db.things set deleted_at = now() where id = 'c'`)

    expect(await keeper.generateMissingEmbeddings({})).toEqual({ made: 2, missing: 0 })
    expect(await keptEmbeddings(running)).toEqual([
      ['d', HASHING_MODEL, '1', 't'],
      ['a', HASHING_MODEL, '1', 't'],
      ['b', HASHING_MODEL, '2', 't'],
    ])
  })

  it('twice at once makes the same', async () => {
    await Promise.all([keeper.generateMissingEmbeddings({}), keeper.generateMissingEmbeddings({}), keeper.generateMissingEmbeddings({ limit: 1 })])

    expect(await keptEmbeddings(running)).toHaveLength(4)
    expect(await keeper.generateMissingEmbeddings({})).toEqual({ made: 0, missing: 0 })
  })

  it('is done with a thing that has no text at all', async () => {
    await owned(running.database, 'delete from db.things')
    await note('~/-', '!!! 🙂')

    await keeper.generateMissingEmbeddings({})

    expect(await keeper.generateMissingEmbeddings({})).toEqual({ made: 0, missing: 0 })
    expect(await keptEmbeddings(running)).toEqual([['~/-', HASHING_MODEL, '1', 'f']])
    expect((await db.search({ q: 'zebra', mode: 'vector' })).items).toEqual([])
  })

  it('is for whoever may maintain the database', async () => {
    await expect(db.generateMissingEmbeddings({})).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })
})
