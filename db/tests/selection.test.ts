import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseGlob } from '../src/glob.ts'
import { as, type Db } from './as.ts'
import { startDb, type DbInProcess } from './in-process.ts'

let running: DbInProcess
let db: Db

const THINGS = [
  { $id: 'Thing', $type: 'Note', data: { year: 1999 } },
  { $id: 'a.b', $type: 'Note', data: { year: '2020' } },
  { $id: 'axb', $type: 'Page', data: { year: 2020, tags: ['x', 1, null, ['y']], nested: { deep: [{ name: 'ü' }] } } },
  { $id: 'note', $type: 'Note', data: { year: 2020.5, tags: 'xyz' } },
  { $id: 'note/a', $type: 'Note', data: { year: null } },
  { $id: 'note/a/b', $type: 'Page', data: { done: true } },
  { $id: 'note/a/b/c', $type: 'Note', data: { "it's": { 'a"b': 1 } } },
  { $id: 'notes/a', $type: 'Page', content: "It's 100% \\ here", visibility: 'public' as const },
  { $id: 'z/note/a', $type: 'Note', data: { year: 10 } },
]

beforeAll(async () => {
  running = await startDb(['db'])
  await running.database.reset()
  db = as(running)
  await db.batch({ commands: THINGS.map((input) => ({ operation: 'upsert' as const, input })) })
  await db.upsert({ $type: 'Note', $id: 'note/deleted', data: { year: 2020 } })
  await db.delete({ id: 'note/deleted' })
  await as(running, 'acme').upsert({ $type: 'Note', $id: 'note/theirs', data: { year: 2020 } })
})
afterAll(() => running.close())

type Selection = Omit<Parameters<Db['list']>[0], 'cursor'>

async function idsOf(selection: Selection): Promise<string[]> {
  const { items } = await db.list(selection)
  expect(await db.count(selection)).toEqual({ count: items.length })
  return items.map(({ $id }) => $id)
}

describe('a glob', () => {
  it.each([
    ['note', ['note']],
    ['note/*', ['note/a']],
    ['note/**', ['note/a', 'note/a/b', 'note/a/b/c']],
    ['note/*/b', ['note/a/b']],
    ['note/**/c', ['note/a/b/c']],
    ['note/**/a', ['note/a']],
    ['note*', ['note']],
    ['note**', ['note', 'note/a', 'note/a/b', 'note/a/b/c', 'notes/a']],
    ['**/a', ['note/a', 'notes/a', 'z/note/a']],
    ['*/a', ['note/a', 'notes/a']],
    ['*', ['Thing', 'a.b', 'axb', 'note']],
    ['**/note/*', ['note/a', 'z/note/a']],
    ['a.*', ['a.b']],
    ['a*b', ['a.b', 'axb']],
    ['*.b', ['a.b']],
    ['**', THINGS.map(({ $id }) => $id)],
    ['**/*', THINGS.map(({ $id }) => $id)],
    ['no/such/*', []],
    ['note/*::Note', ['note/a']],
    ['note/a/b::Page', ['note/a/b']],
    ['note/a/b::Note', []],
    ['::Page', ['axb', 'note/a/b', 'notes/a']],
    ['Thing::Page', ['axb', 'note/a/b', 'notes/a']],
    ['Thing', ['Thing']],
    ['Thing*::Note', ['Thing']],
  ])('%s finds exactly what it describes', async (id, expected) => {
    expect(await idsOf({ id })).toEqual(expected)
  })

  it.each(['a/../*', '*'.repeat(17), `${'a*'.repeat(40)}`, 'a//*', '(a+)+*', '[a-z]*', 'a?b*', 'a*$', '\\d*', `'*`, 'a*::', '::1', 'é*', ''])(
    '%s is refused as INVALID',
    async (id) => {
      await expect(db.list({ id })).rejects.toMatchObject({ code: 'INVALID', details: [{ path: 'id' }] })
      await expect(db.count({ id })).rejects.toMatchObject({ code: 'INVALID' })
    },
  )

  it('finds the same as walking over segments does', () => {
    const segment = fc.stringMatching(/^[ab.]{1,3}$/).filter((text) => text !== '.' && text !== '..')
    const id = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join('/'))
    const globSegment = fc.oneof(segment, fc.constantFrom('*', '**', 'a*', '*b', '*.*', 'a*b'))
    const glob = fc.array(globSegment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join('/'))
    fc.assert(
      fc.property(glob, id, (pattern, text) => {
        const parsed = parseGlob(pattern)
        if (!parsed) return
        const isInRange = text >= parsed.prefix && text < parsed.end

        expect(isInRange && new RegExp(parsed.pattern, 's').test(text)).toBe(fits(pattern.split('/'), text.split('/')))
      }),
      { numRuns: 2000 },
    )
  })
})

/** What a glob of whole segments means, said once more in another way. */
function fits([first, ...rest]: string[], [segment, ...others]: string[]): boolean {
  if (first === undefined) return segment === undefined
  if (first === '**') {
    if (rest.length === 0) return segment !== undefined
    return fits(rest, segment === undefined ? [] : [segment, ...others]) || (segment !== undefined && fits(['**', ...rest], others))
  }
  return segment !== undefined && fitsSegment(first, segment) && fits(rest, others)
}

function fitsSegment(glob: string, text: string): boolean {
  if (glob === '') return text === ''
  if (glob.startsWith('*')) return fitsSegment(glob.slice(1), text) || (text !== '' && fitsSegment(glob, text.slice(1)))
  return glob[0] === text[0] && text !== '' && fitsSegment(glob.slice(1), text.slice(1))
}

type Filter = NonNullable<Selection['filter']>[number]

describe('a filter', () => {
  const all = THINGS.map(({ $id }) => $id)
  const allBut = (...ids: string[]) => all.filter((id) => !ids.includes(id))

  it.each<[Filter, string[]]>([
    [{ field: 'data.year', op: 'eq', value: 2020 }, ['axb']],
    [{ field: 'data.year', op: 'eq', value: '2020' }, ['a.b']],
    [{ field: 'data.year', op: 'eq', value: null }, ['note/a']],
    [{ field: 'data.year', op: 'ne', value: 2020 }, allBut('axb')],
    [{ field: 'data.year', op: 'lt', value: 1999 }, ['z/note/a']],
    [{ field: 'data.year', op: 'lte', value: 1999 }, ['Thing', 'z/note/a']],
    [{ field: 'data.year', op: 'gt', value: 1999 }, ['axb', 'note']],
    [{ field: 'data.year', op: 'gte', value: 2020 }, ['axb', 'note']],
    [{ field: 'data.year', op: 'gt', value: '1' }, ['a.b']],
    [{ field: 'data.year', op: 'lt', value: 'a' }, ['a.b']],
    [{ field: 'data.year', op: 'in', value: [10, '2020', null] }, ['a.b', 'note/a', 'z/note/a']],
    [{ field: 'data.year', op: 'exists', value: true }, ['Thing', 'a.b', 'axb', 'note', 'note/a', 'z/note/a']],
    [{ field: 'data.year', op: 'exists', value: false }, ['note/a/b', 'note/a/b/c', 'notes/a']],
    [{ field: 'data.done', op: 'eq', value: true }, ['note/a/b']],
    [{ field: 'data.tags', op: 'contains', value: 'x' }, ['axb', 'note']],
    [{ field: 'data.tags', op: 'contains', value: 1 }, ['axb']],
    [{ field: 'data.tags', op: 'contains', value: null }, ['axb']],
    [{ field: 'data.tags', op: 'contains', value: 'y' }, ['note']],
    [{ field: 'data.tags', op: 'contains', value: '%' }, []],
    [{ field: 'data.nested.deep.0.name', op: 'eq', value: 'ü' }, ['axb']],
    [{ field: '$id', op: 'gte', value: 'note/a/b/c' }, ['note/a/b/c', 'notes/a', 'z/note/a']],
    [{ field: '$id', op: 'contains', value: 'b/c' }, ['note/a/b/c']],
    [{ field: '$type', op: 'eq', value: 'Page' }, ['axb', 'note/a/b', 'notes/a']],
    [{ field: '$type', op: 'in', value: ['Page', 'None'] }, ['axb', 'note/a/b', 'notes/a']],
    [{ field: 'visibility', op: 'eq', value: 'public' }, ['notes/a']],
    [{ field: 'content', op: 'contains', value: "'s 100% \\" }, ['notes/a']],
    [{ field: 'version', op: 'lt', value: 1.5 }, all],
    [{ field: 'version', op: 'in', value: [2, 1e300] }, []],
    [{ field: 'createdAt', op: 'gt', value: '2020-01-01' }, all],
    [{ field: 'updatedAt', op: 'lt', value: '2020-01-01T00:00:00+02:00' }, []],
    [{ field: 'version', op: 'exists', value: false }, []],
  ])('%j finds exactly what fits', async (filter, expected) => {
    expect(await idsOf({ filter: [filter] })).toEqual(expected)
  })

  it('holds together with all others, a type and a glob', async () => {
    const filter: Filter[] = [
      { field: 'data.year', op: 'exists', value: true },
      { field: 'data.year', op: 'ne', value: null },
    ]

    expect(await idsOf({ id: '**/a', type: 'Note', filter })).toEqual(['z/note/a'])
  })

  it('looks below names that need quoting only where they can be named', async () => {
    await expect(db.list({ filter: [{ field: `data.it's`, op: 'eq', value: 1 }] })).rejects.toMatchObject({
      code: 'INVALID',
      details: [{ path: 'filter.0.field' }],
    })
    await expect(db.list({ filter: [{ field: 'data.a"b', op: 'eq', value: 1 }] })).rejects.toMatchObject({
      code: 'INVALID',
      details: [{ path: 'filter.0.field' }],
    })
  })

  it.each<[Filter, string]>([
    [{ field: 'nothing', op: 'eq', value: 1 }, 'filter.1.field'],
    [{ field: 'data', op: 'exists', value: true }, 'filter.1.field'],
    [{ field: 'version.x', op: 'eq', value: 1 }, 'filter.1.field'],
    [{ field: 'constructor', op: 'eq', value: 1 }, 'filter.1.field'],
    [{ field: 'version', op: 'eq', value: '1' }, 'filter.1.value'],
    [{ field: '$type', op: 'eq', value: null }, 'filter.1.value'],
    [{ field: '$type', op: 'in', value: ['Note', 7] }, 'filter.1.value'],
    [{ field: 'createdAt', op: 'gt', value: 'yesterday' }, 'filter.1.value'],
    [{ field: 'createdAt', op: 'gt', value: '2026-02-30' }, 'filter.1.value'],
    [{ field: 'version', op: 'contains', value: 1 }, 'filter.1.op'],
    [{ field: 'data.year', op: 'lt', value: true }, 'filter.1.value'],
    [{ field: 'data.year', op: 'gte', value: null }, 'filter.1.value'],
  ])('%j is refused and named', async (filter, path) => {
    const refused = db.list({ filter: [{ field: 'version', op: 'eq', value: 1 }, filter] })

    await expect(refused).rejects.toMatchObject({ code: 'INVALID', details: [{ path }] })
  })
})

describe('a page of a selection', () => {
  it('follows on the one before, whatever selects', async () => {
    const selection = { id: '**', filter: [{ field: 'data.year' as const, op: 'exists' as const, value: true }] }
    const pages: string[][] = []

    for (let cursor: string | null | undefined; cursor !== null;) {
      const page = await db.list({ ...selection, limit: 2, ...(cursor !== undefined && { cursor }) })
      pages.push(page.items.map(({ $id }) => $id))
      cursor = page.nextCursor
    }

    expect(pages).toEqual([
      ['Thing', 'a.b'],
      ['axb', 'note'],
      ['note/a', 'z/note/a'],
    ])
  })
})
