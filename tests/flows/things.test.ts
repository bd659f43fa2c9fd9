import { describe, expect, it } from 'vitest'
import { admin, ask, makeKey, unique, type Answered } from './client.ts'

function ids({ data }: Answered): string[] {
  return (data['items'] as unknown as { $id: string }[]).map(({ $id }) => $id)
}

describe('things over HTTP', () => {
  it('come back as they were written, with version 1', async () => {
    const $id = unique('note/hello')

    const written = await admin('/db/things', { body: { $type: 'Note', $id, content: 'Hi', data: { tags: ['a'] } } })
    const read = await admin(`/db/things/${$id}`)

    expect(written.status).toBe(201)
    expect(read.status).toBe(200)
    expect(read.data).toEqual(written.data)
    expect(read.data).toMatchObject({ ns: 'default', $id, $type: 'Note', content: 'Hi', data: { tags: ['a'] }, visibility: 'private', version: 1 })
  })

  it('keep their version when the same state is written again, and take the next when it differs', async () => {
    const body = { $type: 'Note', $id: unique('note'), content: 'One' }

    const first = await admin('/db/things', { body })
    const same = await admin('/db/things', { body })
    const other = await admin('/db/things', { body: { ...body, content: 'Two' } })

    expect(same.data).toEqual(first.data)
    expect(other).toMatchObject({ status: 200, data: { version: 2, content: 'Two', createdAt: first.data['createdAt'] } })
  })

  it('get an id from their type when they bring none', async () => {
    const { data } = await admin('/db/things', { body: { $type: 'BlogPost' } })

    expect(data['$id']).toMatch(/^blog-post\/[0-9a-z]{26}$/)
  })

  it('hold text of any language, quotes and SQL unchanged', async () => {
    const $id = unique('note/odd')
    const content = `Ünï 漢字 🙂 "quotes" 'single' \\ back; drop table db.things; -- \n\t`
    const data = { [`key '"; --`]: content, number: 1.5, none: null, nested: { list: [1, 'two', false] } }

    await admin('/db/things', { body: { $type: 'Note', $id, content, data } })
    const read = await admin(`/db/things/${$id}`)

    expect(read.data).toMatchObject({ content, data })
  })

  it('are updated field by field, data by top-level key', async () => {
    const $id = unique('note')
    await admin('/db/things', { body: { $type: 'Note', $id, content: 'Keep', data: { a: 1, b: { x: 1 }, c: 3 } } })

    const updated = await admin(`/db/things/${$id}`, { method: 'PATCH', body: { data: { b: { y: 2 }, c: null, d: 4 } } })

    expect(updated).toMatchObject({ status: 200, data: { content: 'Keep', version: 2, data: { a: 1, b: { y: 2 }, d: 4 } } })
    expect(updated.data['data']).not.toHaveProperty('c')
  })

  it('are refused when the version that was read is no longer the current one', async () => {
    const $id = unique('note')
    await admin('/db/things', { body: { $type: 'Note', $id, ifVersion: 0 } })
    await admin(`/db/things/${$id}`, { method: 'PATCH', body: { content: 'Two', ifVersion: 1 } })

    const stale = await admin(`/db/things/${$id}`, { method: 'PATCH', body: { content: 'Stale', ifVersion: 1 } })
    const taken = await admin('/db/things', { body: { $type: 'Note', $id, ifVersion: 0 } })

    expect(stale).toMatchObject({ status: 409, error: { code: 'CONFLICT', details: [{ path: 'ifVersion', message: 'The current version is 2' }] } })
    expect(taken.status).toBe(409)
  })

  it('let exactly one of many writers with the same version through', async () => {
    const $id = unique('note/contended')
    await admin('/db/things', { body: { $type: 'Note', $id, content: 'start' } })

    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) => admin(`/db/things/${$id}`, { method: 'PATCH', body: { content: `writer ${index}`, ifVersion: 1 } })),
    )

    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(9)
  })

  it('are gone after a deletion, keep their history, and come back under the next version', async () => {
    const $id = unique('note')
    await admin('/db/things', { body: { $type: 'Note', $id, content: 'One' } })

    const deleted = await admin(`/db/things/${$id}`, { method: 'DELETE' })
    const read = await admin(`/db/things/${$id}`)
    const again = await admin(`/db/things/${$id}`, { method: 'DELETE' })
    const back = await admin('/db/things', { body: { $type: 'Note', $id, content: 'One' } })
    const history = await admin(`/db/history/${$id}`)

    expect(deleted).toMatchObject({ status: 200, data: { version: 2 } })
    expect([read.status, again.status]).toEqual([404, 404])
    expect(back).toMatchObject({ status: 200, data: { version: 3 } })
    expect((history.data['items'] as unknown as { operation: string; version: number }[]).map(({ operation, version }) => [version, operation])).toEqual([
      [3, 'upsert'],
      [2, 'delete'],
      [1, 'upsert'],
    ])
  })

  it('are listed page by page without gaps or repeats while others are written', async () => {
    const { key } = await makeKey({ permissions: ['things:read', 'things:write'], tenant: unique('tenant') })
    const wanted = Array.from({ length: 45 }, (_, index) => `page/${String(index).padStart(3, '0')}`)
    for (const $id of wanted) await ask('/db/things', { key, body: { $type: 'Page', $id } })

    const first = await ask('/db/things?type=Page', { key })
    await ask('/db/things', { key, body: { $type: 'Page', $id: 'page/000a' } })
    const second = await ask(`/db/things?type=Page&cursor=${first.data['nextCursor']}`, { key })
    const third = await ask(`/db/things?type=Page&cursor=${second.data['nextCursor']}`, { key })

    expect([...ids(first), ...ids(second), ...ids(third)]).toEqual(wanted)
    expect(first.data['items']).toHaveLength(20)
    expect(third.data['nextCursor']).toBeNull()
  })

  it('answer an empty page where there are none', async () => {
    const { key } = await makeKey({ permissions: ['things:read'], tenant: unique('tenant') })

    const [list, count, stats] = await Promise.all([ask('/db/things?limit=5', { key }), ask('/db/count', { key }), ask('/db/stats', { key })])

    expect(list).toMatchObject({ status: 200, data: { items: [], nextCursor: null } })
    expect(count.data).toEqual({ count: 0 })
    expect(stats.data).toEqual({ things: 0, versions: 0, relationships: 0, sizeBytes: 0, types: [] })
  })

  it('are counted and summed up by type', async () => {
    const { key } = await makeKey({ permissions: ['things:read', 'things:write'], tenant: unique('tenant') })
    for (const $type of ['Note', 'Note', 'Page']) await ask('/db/things', { key, body: { $type, content: 'abc' } })

    const [count, stats] = await Promise.all([ask('/db/count?type=Note', { key }), ask('/db/stats', { key })])

    expect(count.data).toEqual({ count: 2 })
    expect(stats.data).toEqual({
      things: 3,
      versions: 3,
      relationships: 0,
      sizeBytes: 15,
      types: [
        { type: 'Note', count: 2 },
        { type: 'Page', count: 1 },
      ],
    })
  })

  it('of another tenant are not there, whichever way they are asked for', async () => {
    const $id = unique('note/secret')
    await admin('/db/things', { body: { $type: 'Note', $id, content: 'ours' } })
    const { key } = await makeKey({ permissions: ['things:read', 'things:write'], tenant: unique('tenant') })

    const answers = await Promise.all([
      ask(`/db/things/${$id}`, { key }),
      ask(`/db/things/${$id}?ns=default`, { key }),
      ask('/db/things?ns=default', { key }),
      ask(`/db/history/${$id}`, { key }),
      ask(`/db/things/${$id}`, { key, method: 'DELETE' }),
      ask(`/db/things/${$id}`, { key, method: 'PATCH', body: { content: 'theirs', ns: 'default' } }),
      ask('/db/things', { key, body: { $type: 'Note', $id, ns: 'default' } }),
      ask('/db/batch', { key, body: { commands: [{ operation: 'delete', input: { id: $id, ns: 'default' } }] } }),
    ])

    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 404))
    expect((await admin(`/db/things/${$id}`)).data).toMatchObject({ content: 'ours', version: 1 })
  })
})
