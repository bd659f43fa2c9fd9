import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { as, type Db } from './as.ts'
import { startDb, type DbInProcess } from './in-process.ts'

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

describe('a relationship', () => {
  beforeEach(() => write('a', 'b'))

  it('is one of its name in its direction, and takes the next version when it is said with other data', async () => {
    const first = await db.relate({ ...A_TO_B, data: { since: 2020 } })
    const same = await db.relate({ ...A_TO_B, data: { since: 2020 } })
    const other = await db.relate({ ...A_TO_B, data: { since: 2021 } })

    expect(first).toEqual({
      id: expect.stringMatching(/^rel_[0-9a-hjkmnp-tv-z]{26}$/) as unknown,
      ns: 'default',
      ...A_TO_B,
      data: { since: 2020 },
      version: 1,
      createdAt: first.updatedAt,
      updatedAt: first.updatedAt,
    })
    expect(same).toEqual(first)
    expect(other).toMatchObject({ id: first.id, version: 2, data: { since: 2021 }, createdAt: first.createdAt })
    expect((await db.relationships({ from: 'a' })).items).toEqual([{ ...other, depth: 1 }])
  })

  it('is another one the other way round, under another name, and in another namespace', async () => {
    await as(running, 'acme').import({ lines: ['a', 'b'].map(($id) => ({ $type: 'Node', $id })) })
    const made = [
      await db.relate(A_TO_B),
      await db.relate({ from: 'b', predicate: 'likes', to: 'a' }),
      await db.relate({ ...A_TO_B, predicate: 'knows' }),
      await db.relate({ ...A_TO_B, to: 'a' }),
      await as(running, 'acme').relate(A_TO_B),
    ]

    expect(made.map(({ version }) => version)).toEqual([1, 1, 1, 1, 1])
    expect(new Set(made.map(({ id }) => id))).toHaveProperty('size', made.length)
  })

  it('that is taken back is no longer told, and comes back under its next version', async () => {
    const { id } = await db.relate(A_TO_B)

    const taken = await db.unrelate({ ...A_TO_B, ifVersion: 1 })
    const { items } = await db.relationships({ from: 'a' })
    const back = await db.relate({ ...A_TO_B, ifVersion: 0 })

    expect([taken, back]).toMatchObject([
      { id, version: 2 },
      { id, version: 3 },
    ])
    expect(items).toEqual([])
  })

  it('is not shown while one of its ends is deleted, and comes back with it', async () => {
    await db.relate(A_TO_B)
    const shown = async () => [
      (await db.relationships({ from: 'a' })).items.length,
      (await db.incoming({ to: 'b' })).items.length,
      (await db.stats({})).relationships,
    ]

    for (const id of ['a', 'b']) {
      await db.delete({ id })
      expect(await shown()).toEqual([0, 0, 0])
      await db.restore({ id })
      expect(await shown()).toEqual([1, 1, 1])
    }
  })

  it.each([
    ['a beginning that is not there', 'relate', { ...A_TO_B, from: 'no' }, 'NOT_FOUND', 'from'],
    ['an end that is not there', 'relate', { ...A_TO_B, to: 'no' }, 'NOT_FOUND', 'to'],
    ['an end that is deleted', 'relate', { ...A_TO_B, to: 'gone' }, 'NOT_FOUND', 'to'],
    ['an end in another namespace', 'relate', { ...A_TO_B, to: 'theirs' }, 'NOT_FOUND', 'to'],
    ['taking back what nobody said', 'unrelate', { ...A_TO_B, predicate: 'knows' }, 'NOT_FOUND', 'predicate'],
    ['a stale version', 'relate', { ...A_TO_B, data: { x: 1 }, ifVersion: 2 }, 'CONFLICT', 'ifVersion'],
    ['a stale version to take back', 'unrelate', { ...A_TO_B, ifVersion: 0 }, 'CONFLICT', 'ifVersion'],
    ['a first version of what is there', 'relate', { ...A_TO_B, ifVersion: 0 }, 'CONFLICT', 'ifVersion'],
    ['a version of what is not there', 'relate', { ...A_TO_B, predicate: 'knows', ifVersion: 1 }, 'CONFLICT', 'ifVersion'],
    ['a name with a space', 'relate', { ...A_TO_B, predicate: 'is like' }, 'INVALID', 'predicate'],
    ['another’s namespace', 'relate', { ...A_TO_B, ns: 'acme' }, 'NOT_FOUND', 'ns'],
  ] as const)('refuses %s', async (_name, operation, input, code, path) => {
    await as(running, 'acme').import({ lines: [{ $type: 'Node', $id: 'theirs' }] })
    await write('gone')
    await db.delete({ id: 'gone' })
    await db.relate(A_TO_B)

    await expect(operation === 'relate' ? db.relate(input) : db.unrelate(input)).rejects.toMatchObject({ code, details: [{ path }] })
    expect((await db.relationships({ from: 'a' })).items).toMatchObject([{ version: 1, data: {} }])
  })

  it('lets one of many writers who expect the same version through', async () => {
    await db.relate(A_TO_B)

    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, (_, index) => db.relate({ ...A_TO_B, data: { index }, ifVersion: 1 })))

    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect((await db.relationships({ from: 'a' })).items).toMatchObject([{ version: 2 }])
  })
})
