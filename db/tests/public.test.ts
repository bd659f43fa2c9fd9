import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { service } from '../src/service.ts'
import { as, type Db } from './as.ts'
import { binding, owned, startDb, type DbInProcess } from './in-process.ts'

let running: DbInProcess
let stranger: Db
let acme: Db

beforeAll(async () => {
  running = await startDb(['db'])
  stranger = binding(service, running.env, { principal: { id: 'stranger', permissions: [] } })
  acme = as(running, 'acme')
})
beforeEach(() => running.database.reset())
afterAll(() => running.close())

/** The code that a reading is refused with, or what it gave. */
function outcome<Value>(reading: Promise<Value>): Promise<Value | string> {
  return reading.catch((refusal: { code: string }) => refusal.code)
}

describe('a public thing', () => {
  it('is read by anyone, as it is, as it was, and by its type', async () => {
    const first = await acme.upsert({ $type: 'Note', $id: 'note/hello', content: 'one', visibility: 'public' })
    const second = await acme.update({ id: 'note/hello', content: 'two' })

    expect(await stranger.getPublic({ ns: 'acme', id: 'note/hello' })).toEqual(second)
    expect(await stranger.getPublic({ ns: 'acme', id: 'note/hello@1' })).toEqual(first)
    expect(await stranger.getPublic({ ns: 'acme', id: 'note/hello@9999-01-01' })).toEqual(second)
    expect(await stranger.getPublic({ ns: 'acme', id: 'note/hello::Note' })).toEqual(second)
    expect(await outcome(stranger.getPublic({ ns: 'acme', id: 'note/hello::Page' }))).toBe('NOT_FOUND')
    expect(await outcome(stranger.getPublic({ ns: 'other', id: 'note/hello' }))).toBe('NOT_FOUND')
  })

  it('does not show what it was while it was private', async () => {
    await acme.upsert({ $type: 'Note', $id: 'a', content: 'shown', visibility: 'public' })
    await acme.update({ id: 'a', content: 'hidden', visibility: 'private' })
    const [hidden] = (await acme.history({ id: 'a' })).items
    await acme.update({ id: 'a', content: 'shown again', visibility: 'public' })

    expect(await stranger.getPublic({ ns: 'acme', id: 'a@1' })).toMatchObject({ content: 'shown' })
    expect(await outcome(stranger.getPublic({ ns: 'acme', id: 'a@2' }))).toBe('NOT_FOUND')
    expect(await stranger.getPublic({ ns: 'acme', id: 'a@3' })).toMatchObject({ content: 'shown again' })
    await owned(running.database, `update db.thing_versions set at = ('2020-01-0' || version)::timestamptz`)
    expect(hidden?.version).toBe(2)
    expect(await outcome(stranger.getPublic({ ns: 'acme', id: 'a@2020-01-02' }))).toBe('NOT_FOUND')
    expect(await stranger.getPublic({ ns: 'acme', id: 'a@2020-01-01' })).toMatchObject({ content: 'shown' })
  })

  it('is taken back with all that it was by making it private, and by deleting it', async () => {
    await acme.upsert({ $type: 'Note', $id: 'taken', visibility: 'public' })
    await acme.update({ id: 'taken', visibility: 'private' })
    await acme.upsert({ $type: 'Note', $id: 'deleted', visibility: 'public' })
    await acme.delete({ id: 'deleted' })

    for (const id of ['taken', 'taken@1', 'deleted', 'deleted@1', 'deleted@2', 'taken@9999-01-01'])
      expect(await outcome(stranger.getPublic({ ns: 'acme', id }))).toBe('NOT_FOUND')
    expect(await stranger.listPublic({ ns: 'acme' })).toEqual({ items: [], nextCursor: null })
  })
})

describe('the list of what is public', () => {
  it('takes globs and types, and pages', async () => {
    const things = ['a', 'note/1', 'note/2', 'note/deep/3', 'z'].map(($id, index) => ({
      $id,
      $type: index % 2 ? 'Note' : 'Page',
      visibility: 'public' as const,
    }))
    await acme.batch({ commands: [...things, { $id: 'note/private', $type: 'Note' }].map((input) => ({ operation: 'upsert' as const, input })) })
    const ids = async (input: object) => (await stranger.listPublic({ ns: 'acme', ...input })).items.map(({ $id }) => $id)

    expect(await ids({})).toEqual(['a', 'note/1', 'note/2', 'note/deep/3', 'z'])
    expect(await ids({ id: 'note/*' })).toEqual(['note/1', 'note/2'])
    expect(await ids({ id: 'note/**' })).toEqual(['note/1', 'note/2', 'note/deep/3'])
    expect(await ids({ id: '::Note' })).toEqual(['note/1', 'note/deep/3'])
    expect(await ids({ id: 'Thing::Page' })).toEqual(['a', 'note/2', 'z'])
    expect(await ids({ id: 'note/**', type: 'Page' })).toEqual(['note/2'])
    const { items, nextCursor } = await stranger.listPublic({ ns: 'acme', limit: 2 })
    expect(items.map(({ $id }) => $id)).toEqual(['a', 'note/1'])
    expect(await ids({ limit: 2, cursor: nextCursor ?? '' })).toEqual(['note/2', 'note/deep/3'])
  })

  it('is walked along an index that holds nothing private', async () => {
    const { listPublicThings } = await import('../src/things.ts')
    const { sql, params } = listPublicThings({ ns: 'acme', id: '**', type: 'Note' }, { after: '', limit: 20 })

    const [plan] = await running.database.engine.batch(null, [{ sql: `explain ${sql}`, params: params as string[] }])

    expect(JSON.stringify(plan?.rows)).toContain('things_public')
    expect(JSON.stringify(plan?.rows)).not.toContain('Sort')
  })
})

const id = fc.constantFrom('a', 'b', 'a/b')
const visibility = fc.constantFrom('private' as const, 'public' as const)
const change = fc.record({
  by: fc.constantFrom('acme', 'other'),
  id,
  kind: fc.constantFrom('upsert' as const, 'delete' as const, 'restore' as const),
  visibility,
  content: fc.constantFrom('one', 'two'),
})
type Change = typeof change extends fc.Arbitrary<infer Value> ? Value : never

async function make({ by, id: name, kind, visibility: seen, content }: Change): Promise<void> {
  const db = as(running, by)
  if (kind === 'upsert') await db.upsert({ $type: 'Note', $id: name, visibility: seen, content: `${seen} ${content} of ${by}` })
  else await outcome(db[kind]({ id: name }))
}

describe('whatever is done', () => {
  it('a stranger sees nothing but public states of what is public now, of the namespace that was asked for', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 12 }), async (changes) => {
        await running.database.reset()
        for (const one of changes) await make(one)

        for (const ns of ['acme', 'other']) {
          const own = as(running, ns)
          const listed = (await own.list({})).items.filter((thing) => thing.visibility === 'public')
          expect((await stranger.listPublic({ ns })).items).toEqual(listed)
          for (const name of ['a', 'b', 'a/b']) {
            const now = listed.find(({ $id }) => $id === name)
            expect(await outcome(stranger.getPublic({ ns, id: name }))).toEqual(now ?? 'NOT_FOUND')
            for (const version of [1, 2, 3, 4]) {
              const then = await outcome(own.get({ id: `${name}@${version}` }))
              const isShown = now !== undefined && typeof then === 'object' && then.visibility === 'public'
              expect(await outcome(stranger.getPublic({ ns, id: `${name}@${version}` }))).toEqual(isShown ? then : 'NOT_FOUND')
            }
          }
        }
      }),
      { numRuns: 25 },
    )
  }, 60_000)
})
