import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { hashedEmbedding } from '../src/embedder.ts'
import { as, type Db } from './as.ts'
import { owned, startDb, type DbInProcess } from './in-process.ts'
import { idsOf, LIBRARY, write } from './library.ts'

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

const MODES = ['fullText', 'vector', 'hybrid'] as const

/** As many things as told, written by the database itself; `content` is SQL over the number n. */
function manyThings(count: number, content: string): string {
  return `insert into db.things (ns, id, type, content, data, visibility, version, created_at, updated_at)
    select 'default', 'n/' || n, 'Note', ${content}, jsonb_build_object('number', n), 'private', 1, now(), now() from generate_series(0, ${count - 1}) n`
}

/** More things than are compared one by one, each with an embedding of its own. */
const MANY = `with made as (${manyThings(1_500, `'number ' || n`)} returning ns, id)
  insert into db.embeddings (ns, id, model, version, embedding)
  select ns, id, 'hashing-384-v1', 1, array(select sin(hashtext(id || place)) from generate_series(1, 384) place)::extensions.vector from made`

describe.each(MODES)('a search by %s', (mode) => {
  beforeEach(() => write(running, LIBRARY))

  it('finds the thing whose title is asked for first', async () => {
    const found = await db.search({ q: 'zebra', mode })

    expect(idsOf(found)[0]).toBe('animal/zebra')
    expect(found).toMatchObject({ mode, model: mode === 'fullText' ? null : 'hashing-384-v1' })
    expect(found.items[0]?.thing).toEqual(await db.get({ id: 'animal/zebra' }))
  })

  it('finds only what is selected by type, id and fields', async () => {
    const found = await Promise.all([
      db.search({ q: 'zebra', mode, type: 'Place' }),
      db.search({ q: 'zebra', mode, id: 'place/*' }),
      db.search({ q: 'zebra', mode, id: '::Place' }),
      db.search({ q: 'eats', mode, filter: [{ field: 'data.legs', op: 'gt', value: 3 }] }),
      db.search({ q: 'zebra', mode, type: 'Recipe', filter: [{ field: 'data.minutes', op: 'lt', value: 10 }] }),
    ])

    expect(found.map((one) => idsOf(one)[0])).toEqual(['place/savanna', 'place/savanna', 'place/savanna', 'animal/zebra', undefined])
    expect(found.slice(0, 3).map(({ items }) => items.length)).toEqual([1, 1, 1])
  })

  it('never finds what was deleted, and finds it again once it is restored', async () => {
    await db.delete({ id: 'animal/zebra' })
    const without = await db.search({ q: 'zebra', mode })
    await db.restore({ id: 'animal/zebra' })
    await write(running, [])

    expect(idsOf(without)).not.toContain('animal/zebra')
    expect(idsOf(await db.search({ q: 'zebra', mode }))[0]).toBe('animal/zebra')
  })

  it('finds what a thing says now, not what it said', async () => {
    await db.upsert({ $type: 'Note', $id: 'note/new', content: 'xylophone' })
    await db.upsert({ $type: 'Note', $id: 'note/new', content: 'bassoon' })
    await write(running, [])

    const [bassoon, xylophone] = [await db.search({ q: 'bassoon', mode, limit: 1 }), await db.search({ q: 'xylophone', mode, explain: true })]

    expect(idsOf(bassoon)).toEqual(['note/new'])
    expect(xylophone.items.every(({ explain }) => !explain?.fullText)).toBe(true)
    expect(xylophone.items.every(({ explain }) => (explain?.vector?.score ?? 0) < 0.4)).toBe(true)
  })

  it('gives each thing once over all pages, the best first', async () => {
    const all = await db.search({ q: 'grass water lives', mode: mode === 'fullText' ? 'fullText' : mode, limit: 100 })
    const paged = []
    for (let cursor: string | undefined, first = true; first || cursor !== undefined; first = false) {
      const { items, nextCursor } = await db.search({ q: 'grass water lives', mode, limit: 2, ...(cursor !== undefined && { cursor }) })
      paged.push(...items)
      cursor = nextCursor ?? undefined
    }

    expect(paged).toEqual(all.items)
    expect(new Set(idsOf({ items: paged })).size).toBe(paged.length)
    expect(paged.map(({ score }) => score)).toEqual(paged.map(({ score }) => score).toSorted((one, other) => other - one))
  })

  it.each(['the', 'and of the', '!!!', '   ', '"', '-', '-zebra', '🙂', ':*', '& | !', '()'])('finds nothing, and does not fail, for %j', async (q) => {
    expect(await db.search({ q, mode })).toMatchObject({ items: [], nextCursor: null, mode })
  })

  it.each([
    ['a thousand characters of or', `zebra${' or zebra'.repeat(110)}`],
    ['hundreds of words', Array.from({ length: 200 }, (_, index) => `w${index.toString(36)}`).join(' ')],
    ['quotes without end', 'zebra "" " """ \'" zebra'],
    ['operators of tsquery', "zebra:* & !(a | b) <-> 'c' <2> \\ \\'"],
    ['one endless word', 'zebra'.repeat(200)],
    ['a phrase that repeats one word', `"${'zebra '.repeat(160)}"`],
    ['nothing but refusals', '-a -b -c '.repeat(80)],
    ['SQL', `zebra'); drop table db.things; --`],
  ])('answers %s', async (_name, q) => {
    const found = await db.search({ q: q.slice(0, 1_000), mode })

    expect(found.items.length).toBeLessThanOrEqual(LIBRARY.length)
    expect(await db.count({})).toEqual({ count: LIBRARY.length })
  })

  it('of another namespace’s things finds none', async () => {
    await write(running, [{ id: 'animal/zebra', title: 'Zebra', content: 'ours alone' }], 'acme')

    const [ours, theirs, nobodys] = await Promise.all(['default', 'acme', 'empty'].map((ns) => as(running, ns).search({ q: 'zebra', mode })))

    expect(ours?.items.every(({ thing }) => thing.ns === 'default')).toBe(true)
    expect(theirs?.items).toMatchObject([{ thing: { ns: 'acme', content: 'ours alone' } }])
    expect(nobodys?.items).toEqual([])
    await expect(db.search({ q: 'zebra', mode, ns: 'acme' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('leaves out what is said to be unwanted', async () => {
    const found = await db.search({ q: 'zebra -lions', mode })

    expect(idsOf(found)).toContain('animal/zebra')
    expect(idsOf(found)).not.toContain('place/savanna')
  })
})

describe('words', () => {
  it('count more in a title than in data, and more in data than in content', async () => {
    const filling = 'something else '.repeat(3)
    await write(running, [
      { id: 'c', content: `${filling} heron` },
      { id: 'a', title: 'heron', content: filling },
      { id: 'b', data: { deep: [{ down: 'heron' }] }, content: filling },
    ])

    expect(idsOf(await db.search({ q: 'heron', mode: 'fullText' }))).toEqual(['a', 'b', 'c'])
  })

  it('must all be there, as a phrase where they stand in quotes, or one of them with OR', async () => {
    await write(running, [
      { id: 'phrase', content: 'the red bicycle' },
      { id: 'both', content: 'a bicycle that is red' },
      { id: 'one', content: 'a green bicycle' },
    ])
    const find = async (q: string) => idsOf(await db.search({ q, mode: 'fullText' })).sort()

    expect(await find('red bicycle')).toEqual(['both', 'phrase'])
    expect(await find('"red bicycle"')).toEqual(['phrase'])
    expect(await find('red or green')).toEqual(['both', 'one', 'phrase'])
    expect(await find('bicycle -red')).toEqual(['one'])
  })

  it('are found in ids, across inflections and on either side of a slash', async () => {
    await write(running, [
      { id: 'invoice/2026/open-items', content: '' },
      { id: 'x', content: 'walked and/or swimming' },
    ])
    const find = async (q: string) => idsOf(await db.search({ q, mode: 'fullText' }))

    expect([await find('items invoice'), await find('walking swim'), await find('or/and walks')]).toEqual([['invoice/2026/open-items'], ['x'], ['x']])
  })

  it('that nearly everything has still find', async () => {
    await owned(running.database, manyThings(700, `'common word' || case when n = 650 then ' rare' else '' end`))

    const [common, rare] = [await db.search({ q: 'common', mode: 'fullText', limit: 100 }), await db.search({ q: 'common rare', mode: 'hybrid', limit: 1 })]

    expect(common.items).toHaveLength(100)
    expect(idsOf(rare)).toEqual(['n/650'])
  })

  it('are taken from the beginning of a text that is too large to be indexed whole, and the write does not fail', async () => {
    const words = (prefix: string) => Array.from({ length: 40_000 }, (_, index) => `${prefix}${index.toString(36)}-${(index * 7).toString(36)}`).join(' ')
    const content = `beginning ${words('x')}`.slice(0, 500_000)

    await db.upsert({ $type: 'Note', $id: 'large', content, data: { title: words('t'), texts: [words('d'), words('e')] } })

    expect(idsOf(await db.search({ q: 'beginning', mode: 'fullText' }))).toEqual(['large'])
  })

  it('do not reach the marks that a thing is indexed under', async () => {
    await write(running, LIBRARY)

    expect((await db.search({ q: 'ns/default', mode: 'fullText' })).items).toEqual([])
    expect((await db.search({ q: '"type/Animal"', mode: 'fullText' })).items).toEqual([])
  })
})

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

describe('both together', () => {
  beforeEach(() => write(running, LIBRARY))

  it('are what is done unless told', async () => {
    expect(await db.search({ q: 'zebra' })).toMatchObject({ mode: 'hybrid', model: 'hashing-384-v1' })
  })

  it('score by reciprocal ranks, which explain tells', async () => {
    const { items } = await db.search({ q: 'zebra grass', explain: true })

    for (const { score, explain } of items) {
      const parts = [explain?.fullText?.rank, explain?.vector?.rank].map((rank) => (rank === undefined ? 0 : 1 / (60 + rank)))
      expect(score).toBeCloseTo((parts[0] ?? 0) + (parts[1] ?? 0), 10)
    }
    expect(items[0]?.explain).toMatchObject({ fullText: { rank: expect.any(Number) }, vector: { rank: expect.any(Number) } })
    expect(items.some(({ explain }) => !explain?.fullText && explain?.vector)).toBe(true)
  })

  it('tell no ranks unless asked', async () => {
    expect((await db.search({ q: 'zebra' })).items.every((item) => !('explain' in item))).toBe(true)
  })
})
