import { beforeAll, describe, expect, it } from 'vitest'
import { ask, makeKey, unique, type Answered } from './client.ts'

const THINGS = [
  { $id: 'note/a', $type: 'Note', data: { year: 2020, tags: ['x'] } },
  { $id: 'note/a/b', $type: 'Page', data: { year: 2021 } },
  { $id: 'note/c', $type: 'Note', data: { year: 'late' } },
  { $id: 'other', $type: 'Note' },
]

let key: string

beforeAll(async () => {
  key = (await makeKey({ permissions: ['things:read', 'things:write'], tenant: unique('tenant') })).key
  await ask('/db/import', { key, body: { lines: THINGS } })
})

function ids({ data }: Answered): string[] {
  return (data['items'] as unknown as { $id: string }[]).map(({ $id }) => $id)
}

const filter = (condition: object) => `filter=${encodeURIComponent(JSON.stringify(condition))}`

describe('things in paths', () => {
  it.each([
    ['note/*', ['note/a', 'note/c']],
    ['note/%2A', ['note/a', 'note/c']],
    ['note/**', ['note/a', 'note/a/b', 'note/c']],
    ['**/*', ['note/a', 'note/a/b', 'note/c', 'other']],
    ['*', ['other']],
    ['**/b', ['note/a/b']],
    ['note/*::Note', ['note/a', 'note/c']],
    ['note/**::Page', ['note/a/b']],
    ['Thing::Note', ['note/a', 'note/c', 'other']],
    ['Thing%3A%3APage', ['note/a/b']],
    ['::Page', ['note/a/b']],
  ])('/things/%s are those that it describes', async (path, expected) => {
    const answer = await ask(`/db/things/${path}`, { key })

    expect(answer.status).toBe(200)
    expect(ids(answer)).toEqual(expected)
  })

  it.each([
    ['note/a::Note', 200],
    ['note/a%3A%3ANote', 200],
    ['note/a::Page', 404],
    ['Thing', 404],
    [`${'a*'.repeat(40)}`, 400],
    ['a//*', 400],
    ['*@1', 400],
    [encodeURIComponent('(a+)+*'), 400],
    [encodeURIComponent(`'*; drop table db.things; --`), 400],
  ])('/things/%s answers %d', async (path, status) => {
    expect((await ask(`/db/things/${path}`, { key })).status).toBe(status)
  })

  it('are counted by the same words', async () => {
    expect((await ask(`/db/count?id=${encodeURIComponent('note/**::Note')}`, { key })).data).toEqual({ count: 2 })
  })
})

describe('filters in a query string', () => {
  it('all hold, each written as JSON', async () => {
    const one = await ask(`/db/things?${filter({ field: 'data.year', op: 'gte', value: 2020 })}`, { key })
    const both = await ask(
      `/db/things/note/**?${filter({ field: 'data.year', op: 'gte', value: 2020 })}&${filter({ field: 'data.tags', op: 'contains', value: 'x' })}`,
      { key },
    )

    expect(ids(one)).toEqual(['note/a', 'note/a/b'])
    expect(ids(both)).toEqual(['note/a'])
  })

  it.each([
    [filter({ field: `data.'; drop table db.things; --`, op: 'eq', value: 1 }), 'filter.0.field'],
    [filter({ field: 'data.a"b', op: 'eq', value: 1 }), 'filter.0.field'],
    [filter({ field: 'nothing', op: 'eq', value: 1 }), 'filter.0.field'],
    [filter({ field: 'data.a', op: 'matches', value: '(a+)+$' }), 'filter.0.op'],
    [filter({ field: 'createdAt', op: 'gt', value: 'soon' }), 'filter.0.value'],
    ['filter={', 'filter'],
    [Array.from({ length: 21 }, () => filter({ field: 'data.a', op: 'exists', value: true })).join('&'), 'filter'],
  ])('are refused by name: %s', async (query, path) => {
    const { status, error } = await ask(`/db/things?${query}`, { key })

    expect(status).toBe(400)
    expect(error).toMatchObject({ code: 'INVALID', details: [{ path }] })
  })
})
