import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
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

const MODES = ['fullText', 'vector', 'hybrid'] as const

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
