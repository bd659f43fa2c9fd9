import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { hashedEmbedding } from '../src/embedder.ts'
import { as, type Db } from './as.ts'
import { owned, startDb, type DbInProcess } from './in-process.ts'
import { idsOf, LIBRARY, manyThings, write } from './library.ts'

let running: DbInProcess
let db: Db

beforeAll(async () => {
  running = await startDb(['db'])
})
beforeEach(async () => {
  await running.database.reset()
  db = as(running)
})
afterAll(() => running.close())

/** More things than are compared one by one, each with an embedding of its own. */
const MANY = `with made as (${manyThings(1_500, `'number ' || n`)} returning ns, id)
  insert into db.embeddings (ns, id, model, version, embedding)
  select ns, id, 'hashing-384-v1', 1, array(select sin(hashtext(id || place)) from generate_series(1, 384) place)::extensions.vector from made`

describe('vectors', () => {
  it('brought by the caller are compared, nearest first', async () => {
    await write(running, LIBRARY)
    const embedding = hashedEmbedding('bird long legs water fish') ?? []

    const found = await db.search({ embedding, explain: true })

    expect(found).toMatchObject({ mode: 'vector', model: 'hashing-384-v1' })
    expect(idsOf(found)[0]).toBe('animal/heron')
    expect(found.items.map(({ explain }) => explain?.vector?.rank)).toEqual([1, 2, 3, 4, 5])
  })

  it('find what is spelt otherwise, where words find nothing', async () => {
    await write(running, LIBRARY)

    expect((await db.search({ q: 'zebrra stripped', mode: 'fullText' })).items).toEqual([])
    expect(idsOf(await db.search({ q: 'zebrra stripped', mode: 'vector', limit: 1 }))).toEqual(['animal/zebra'])
  })

  it('of another model are never compared with', async () => {
    await write(running, LIBRARY)
    await owned(running.database, `update db.embeddings set model = 'other' where id <> 'recipe/soup'`)

    const [vector, hybrid] = [await db.search({ q: 'zebra', mode: 'vector' }), await db.search({ q: 'zebra', mode: 'hybrid', explain: true })]

    expect(idsOf(vector)).toEqual(['recipe/soup'])
    expect(hybrid.items.filter(({ explain }) => explain?.vector).map(({ thing }) => thing.$id)).toEqual(['recipe/soup'])
  })

  it.each([1e-300, 1e300])('of numbers as small or large as %d are taken by their direction', async (size) => {
    await write(running, LIBRARY)
    const embedding = hashedEmbedding('bird long legs water fish') ?? []

    const found = await db.search({ embedding: embedding.map((number) => number * size) })

    expect(idsOf(found)).toEqual(idsOf(await db.search({ embedding })))
  })

  it('give as many as are asked for, however many things a filter keeps back', { timeout: 60_000 }, async () => {
    await running.database.engine.script(`drop index db.embeddings_by_nearness; ${MANY}; call db.add_vectors()`)
    const keeping = (value: number) => [{ field: 'data.number', op: 'lt' as const, value }]
    const embedding = hashedEmbedding('number') ?? []

    const [few, many] = [await db.search({ embedding, filter: keeping(15), limit: 10 }), await db.search({ embedding, filter: keeping(1_050), limit: 100 })]

    expect([few.items.length, many.items.length]).toEqual([10, 100])
    expect(few.items.every(({ thing }) => Number(thing.data['number']) < 15)).toBe(true)
    expect(many.items.every(({ thing }) => Number(thing.data['number']) < 1_050)).toBe(true)
    expect(many.items.map(({ score }) => score)).toEqual(many.items.map(({ score }) => score).toSorted((one, other) => other - one))
  })
})
