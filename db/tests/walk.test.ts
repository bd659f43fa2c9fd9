import { encodeCursor } from '@dot-do/worker-utils'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { as, type Db } from './as.ts'
import { owned, startDb, type DbInProcess } from './in-process.ts'

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

async function write(...ids: string[]): Promise<void> {
  await db.import({ lines: ids.map(($id) => ({ $type: 'Node', $id })) })
}

const A_TO_B = { from: 'a', predicate: 'likes', to: 'b' }

interface Edge {
  from: string
  predicate: string
  to: string
}

/** A breadth-first walk over edges, as the operation promises it. */
function walked(
  edges: Edge[],
  start: string,
  { depth, backwards, predicate }: { depth: number; backwards: boolean; predicate?: string | undefined },
): string[] {
  const [near, far] = backwards ? (['to', 'from'] as const) : (['from', 'to'] as const)
  const distances = new Map([[start, 0]])
  const told: string[] = []
  for (let distance = 1, frontier = [start]; distance <= depth; distance++) {
    const met = edges.filter((edge) => frontier.includes(edge[near]) && (predicate === undefined || edge.predicate === predicate))
    const places = met.map((edge) => [edge[near], edge.predicate, edge[far]].join(' ')).sort()
    told.push(...places.map((place) => `${distance} ${place}`))
    frontier = [...new Set(met.map((edge) => edge[far]))].filter((id) => !distances.has(id))
    for (const id of frontier) distances.set(id, distance)
  }
  return told
}

async function walk(
  start: string,
  { depth, backwards, predicate, limit }: { depth: number; backwards: boolean; predicate?: string | undefined; limit: number },
) {
  const told: string[] = []
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page = { depth, limit, ...(predicate !== undefined && { predicate }), ...(cursor !== undefined && { cursor }) }
    const { items, nextCursor } = await (backwards ? db.incoming({ to: start, ...page }) : db.relationships({ from: start, ...page }))
    told.push(...items.map((item) => [item.depth, ...(backwards ? [item.to, item.predicate, item.from] : [item.from, item.predicate, item.to])].join(' ')))
    cursor = nextCursor
  }
  return told
}

describe('a walk', () => {
  it('tells the same as a breadth-first walk over all relationships, page by page', async () => {
    const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
    const edge = fc.record({ from: fc.constantFrom(...ids), predicate: fc.constantFrom('p', 'q'), to: fc.constantFrom(...ids) })
    const graph = fc.uniqueArray(edge, { maxLength: 16, selector: ({ from, predicate, to }) => `${from} ${predicate} ${to}` })
    const deleted = fc.option(fc.constantFrom(...ids), { nil: undefined })
    const asked = fc.record({
      depth: fc.integer({ min: 1, max: 5 }),
      backwards: fc.boolean(),
      predicate: fc.constantFrom(undefined, 'p'),
      limit: fc.integer({ min: 1, max: 7 }),
    })
    await fc.assert(
      fc.asyncProperty(graph, deleted, asked, async (edges, gone, question) => {
        await running.database.reset()
        await db.import({ lines: [...ids.map(($id) => ({ $type: 'Node', $id })), ...edges] })
        if (gone !== undefined) await db.delete({ id: gone })
        const shown = edges.filter(({ from, to }) => from !== gone && to !== gone)

        expect(await walk('a', question)).toEqual(walked(shown, 'a', question))
      }),
      { numRuns: 30 },
    )
  }, 60_000)

  it('ends in a circle, and tells a relationship to itself once', async () => {
    await write('a', 'b', 'c')
    for (const [from, to] of [
      ['a', 'b'],
      ['b', 'c'],
      ['c', 'a'],
      ['a', 'a'],
    ] as const)
      await db.relate({ from, predicate: 'p', to })

    expect(await walk('a', { depth: 5, backwards: false, limit: 100 })).toEqual(['1 a p a', '1 a p b', '2 b p c', '3 c p a'])
  })

  it('from what is not there, or in another namespace, meets nothing', async () => {
    await write('a', 'b')
    await db.relate(A_TO_B)

    expect(await db.relationships({ from: 'no' })).toEqual({ items: [], nextCursor: null })
    expect(await as(running, 'acme').relationships({ from: 'a', depth: 5 })).toEqual({ items: [], nextCursor: null })
    expect(await as(running, 'acme').incoming({ to: 'b', depth: 5 })).toEqual({ items: [], nextCursor: null })
  })

  it('of one step goes along any number of relationships; a longer one over more than 10,000 things is refused and says what to do', async () => {
    await owned(
      running.database,
      `insert into db.things (ns, id, type, content, data, visibility, version, created_at, updated_at)
        select 'default', 'n/' || n, 'Node', '', '{}', 'private', 1, now(), now() from generate_series(0, 10001) n`,
    )
    await owned(
      running.database,
      `insert into db.relationships (ns, id, from_id, predicate, to_id, data, version, created_at, updated_at)
        select 'default', 'rel_' || left(md5(n::text), 26), 'n/0', 'p', 'n/' || n, '{}', 1, now(), now() from generate_series(1, 10001) n`,
    )

    const near = await db.relationships({ from: 'n/0', limit: 100 })
    const allowed = db.incoming({ to: 'n/1', depth: 2 })
    const refused = db.relationships({ from: 'n/0', depth: 2, limit: 1 })

    expect(near.items).toHaveLength(100)
    expect(near.nextCursor).not.toBeNull()
    expect((await allowed).items).toHaveLength(1)
    await expect(refused).rejects.toMatchObject({ code: 'INVALID', details: [{ path: 'depth', message: expect.stringContaining('smaller depth') as unknown }] })
  })

  it('over few things with very many relationships is refused as well', async () => {
    await owned(
      running.database,
      `insert into db.things (ns, id, type, content, data, visibility, version, created_at, updated_at)
        select 'default', 'n/' || n, 'Node', '', '{}', 'private', 1, now(), now() from generate_series(0, 240) n`,
    )
    await owned(
      running.database,
      `insert into db.relationships (ns, id, from_id, predicate, to_id, data, version, created_at, updated_at)
        select 'default', 'rel_' || left(md5(a || '_' || b), 26), 'n/' || a, 'p', 'n/' || b, '{}', 1, now(), now() from generate_series(0, 240) a, generate_series(0, 240) b`,
    )

    await expect(db.relationships({ from: 'n/0', depth: 3 })).rejects.toMatchObject({ code: 'INVALID', details: [{ path: 'depth' }] })
    expect((await db.relationships({ from: 'n/0', depth: 2 })).items).toHaveLength(20)
  })

  it.each([0, 6, 50, 1.5, Number.NaN])('of depth %d is refused', async (depth) => {
    await expect(db.relationships({ from: 'a', depth })).rejects.toMatchObject({ code: 'INVALID', details: [{ path: 'depth' }] })
    await expect(db.incoming({ to: 'a', depth })).rejects.toMatchObject({ code: 'INVALID', details: [{ path: 'depth' }] })
  })

  it.each([[['a']], [[0, 'a', 'p', 'b']], [[1, 'a', `p'`, 'b']], [[1, '../a', 'p', 'b']], [[1, 'a', 'p', 'b', 'c']], [['1', 'a', 'p', 'b']], [7], [null]])(
    'refuses the cursor %j',
    async (place) => {
      await expect(db.relationships({ from: 'a', cursor: encodeCursor(place) })).rejects.toMatchObject({ code: 'INVALID', details: [{ path: 'cursor' }] })
    },
  )
})
