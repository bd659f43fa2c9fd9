import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { scheduled } from '../src/scheduled.ts'
import { as, type Db } from './as.ts'
import { owned, startDb, type DbInProcess } from './in-process.ts'
import { axis, keptEmbeddings, withModel } from './library.ts'

const BGE = '@cf/baai/bge-small-en-v1.5'

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

describe('Workers AI, where it is bound', () => {
  /** A model to which a text is the place its first word begins with. */
  const byFirstLetter = (texts: string[]) => ({ data: texts.map((text) => axis(text.charCodeAt(0) % 384)) })

  it('makes the embeddings of things and questions, and its name stands beside them', async () => {
    const ai = as({ ...running, env: withModel(running, byFirstLetter) }, 'default', ['things:read', 'things:write', 'db:maintain'])
    await ai.upsert({ $type: 'Note', $id: 'x/1', data: { title: 'zebra' } })
    await ai.upsert({ $type: 'Note', $id: 'x/2', data: { title: 'heron' } })
    await ai.generateMissingEmbeddings({})

    const found = await ai.search({ q: 'zoo', mode: 'vector', limit: 1 })

    expect(found).toMatchObject({ model: BGE, items: [{ thing: { $id: 'x/1' } }] })
    expect((await keptEmbeddings(running)).map(([, model]) => model)).toEqual([BGE, BGE])
  })

  it('and the hashing embedder do not mix: each finds what is its own', async () => {
    await note('a', 'zebra')
    await keeper.generateMissingEmbeddings({})
    const ai = as({ ...running, env: withModel(running, byFirstLetter) }, 'default', ['things:read', 'db:maintain'])
    const before = await ai.search({ q: 'zebra', mode: 'vector' })
    await ai.generateMissingEmbeddings({})

    expect(before.items).toEqual([])
    expect((await ai.search({ q: 'zebra', mode: 'vector' })).items).toHaveLength(1)
    expect((await db.search({ q: 'zebra', mode: 'vector' })).items).toEqual([])
  })

  it.each([
    ['fails', () => Promise.reject(new Error('5021: secret'))],
    ['answers nothing', () => undefined],
    ['answers fewer than were asked for', () => ({ data: [] })],
    ['answers vectors of another length', () => ({ data: [[1, 2, 3]] })],
    ['answers what are no numbers', () => ({ data: [axis(0).map(() => Number.NaN)] })],
  ])('that %s is UPSTREAM, and nothing is kept', async (_name, run) => {
    await note('a', 'zebra')
    await owned(running.database, 'delete from db.embeddings')
    const ai = as({ ...running, env: withModel(running, run) }, 'default', ['things:read', 'things:write'])

    await expect(ai.search({ q: 'zebra', mode: 'vector' })).rejects.toMatchObject({ code: 'UPSTREAM', message: expect.not.stringContaining('secret') })
    await expect(ai.embed({ id: 'a' })).rejects.toMatchObject({ code: 'UPSTREAM' })
    expect(await keptEmbeddings(running)).toEqual([])
    expect((await ai.search({ q: 'zebra', mode: 'fullText' })).items).toHaveLength(1)
  })
})

describe('embeddings that are missing', () => {
  it('are made in more parts than one, as many as are asked for', async () => {
    await owned(
      running.database,
      `insert into db.things (ns, id, type, content, data, visibility, version, created_at, updated_at)
        select 'default', 'n/' || n, 'Note', 'text', '{}', 'private', 1, now(), now() from generate_series(1, 505) n`,
    )

    const first = await keeper.generateMissingEmbeddings({ limit: 450 })
    const second = await keeper.generateMissingEmbeddings({ limit: 10_000 })

    expect([first, second]).toEqual([
      { made: 450, missing: 55 },
      { made: 55, missing: 0 },
    ])
    expect(await keptEmbeddings(running)).toHaveLength(505)
  })
})

describe('once an hour', () => {
  it('what was deleted long ago is removed', async () => {
    await note('a', 'zebra')
    await owned(running.database, `update db.things set deleted_at = now() - interval '31 days'`)
    await note('b', 'zebra')

    // The hour is not looked at. What is deferred is the tracking of calls, which needs a Durable Object.
    await scheduled({} as ScheduledController, running.env, { waitUntil: (promise) => void promise.catch(() => undefined) })

    expect(await owned(running.database, 'select id from db.things')).toEqual([['b']])
  })
})

describe('a database without pgvector', () => {
  let without: DbInProcess

  // The migration on such a server makes neither type nor table; here the table is taken away for a while, and the URL is another, since what a database has is known for a minute.
  beforeEach(async () => {
    await running.database.engine.script('alter table db.embeddings rename to embeddings_away')
    without = { ...running, env: { ...running.env, DATABASE_URL: 'postgres://database.localhost/without' } }
    return () => running.database.engine.script('alter table db.embeddings_away rename to embeddings')
  })

  it('is searched by words', async () => {
    const db = as(without)
    await db.upsert({ $type: 'Note', $id: 'a', content: 'zebra' })

    expect(await db.search({ q: 'zebra' })).toMatchObject({ mode: 'fullText', model: null, items: [{ thing: { $id: 'a' } }] })
  })

  it('refuses what needs vectors, and says what to do', async () => {
    const db = as(without, 'default', ['things:read', 'things:write', 'db:maintain'])
    await db.upsert({ $type: 'Note', $id: 'a', content: 'zebra' })
    const refusal = { code: 'UNAVAILABLE', message: expect.stringMatching(/pgvector.*db\.add_vectors/) }

    await expect(db.search({ q: 'zebra', mode: 'vector' })).rejects.toMatchObject(refusal)
    await expect(db.search({ q: 'zebra', mode: 'hybrid' })).rejects.toMatchObject(refusal)
    await expect(db.search({ embedding: axis(0) })).rejects.toMatchObject(refusal)
    await expect(db.embed({ id: 'a' })).rejects.toMatchObject(refusal)
    await expect(db.generateMissingEmbeddings({})).rejects.toMatchObject(refusal)
  })
})

describe('db.add_vectors', () => {
  it('changes nothing the second time', async () => {
    await note('a', 'zebra')
    await keeper.generateMissingEmbeddings({})
    const before = await keptEmbeddings(running)

    await running.database.engine.script('call db.add_vectors()')

    expect(await keptEmbeddings(running)).toEqual(before)
  })

  it('is the owner’s to call', async () => {
    for (const role of ['db', 'db_reader']) {
      expect(await owned(running.database, `select has_function_privilege('${role}', 'db.add_vectors()', 'execute')`)).toEqual([['f']])
    }
  })

  it('sets what the role searches with', async () => {
    const sql = `select current_setting('hnsw.ef_search'), current_setting('hnsw.iterative_scan')`

    expect((await running.database.execute('db')([{ sql, params: [] }]))[0]?.rows).toEqual([['100', 'strict_order']])
  })

  it('lets the reader read embeddings', async () => {
    const reader = as(running, 'default', ['db:query'])

    expect(await reader.query({ sql: 'select count(*) from embeddings', params: [] })).toMatchObject({ rows: [['0']] })
  })
})
