import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterAll, describe, expect, inject, it } from 'vitest'
import { ask, makeKey, rpc, unique, type Answered } from './client.ts'

const { url, adminKey } = inject('platform')
const clients: Client[] = []
afterAll(() => Promise.all(clients.map((client) => client.close())))

const BOOKS = [
  { $type: 'Book', $id: 'book/zebras', content: 'About stripes and who wears them.', data: { title: 'Zebras', year: 2024 } },
  { $type: 'Book', $id: 'book/herons', content: 'Who stands in water, and why zebras do not.', data: { title: 'Herons', year: 2019 } },
  { $type: 'Note', $id: 'note/zebra', content: 'Saw a zebra; it saw us too.', data: { year: 2021 } },
]

/** A key of a tenant that has these books, and that nobody else uses. */
async function reader(): Promise<{ key: string; tenant: string }> {
  const { key, tenant } = await makeKey({ permissions: ['things:read', 'things:write'], tenant: unique('library') })
  for (const body of BOOKS) await ask('/db/things', { key, body })
  return { key, tenant }
}

function idsOf(items: unknown): string[] {
  return (items as { thing: { $id: string } }[]).map(({ thing }) => thing.$id)
}

function found({ data }: Answered): string[] {
  return idsOf(data['items'])
}

describe('things are found by their words', () => {
  it('over HTTP, as soon as they are written, by type and by fields', async () => {
    const { key } = await reader()
    const filter = encodeURIComponent(JSON.stringify({ field: 'data.year', op: 'gt', value: 2020 }))
    const find = (query: string) => ask(`/db/search?mode=fullText&${query}`, { key })

    const [all, books, recent, first] = await Promise.all([
      find('q=zebra'),
      find('q=zebra&type=Book'),
      find(`q=zebra&filter=${filter}`),
      find('q=zebra&limit=1'),
    ])
    const second = await find(`q=zebra&limit=1&cursor=${String(first.data['nextCursor'])}`)

    expect(all).toMatchObject({ status: 200, data: { mode: 'fullText', model: null, nextCursor: null } })
    expect(found(all)[0]).toBe('book/zebras')
    expect(found(all).toSorted()).toEqual(['book/herons', 'book/zebras', 'note/zebra'])
    expect(found(books).sort()).toEqual(['book/herons', 'book/zebras'])
    expect(found(recent).sort()).toEqual(['book/zebras', 'note/zebra'])
    expect([...found(first), ...found(second)]).toEqual(found(all).slice(0, 2))
  })

  it('over RPC, and by agents over MCP, as over HTTP', async () => {
    const { key, tenant } = await reader()
    const client = new Client({ name: 'flows', version: '1.0.0' })
    await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { requestInit: { headers: { authorization: `Bearer ${key}` } } }))
    clients.push(client)
    const input = { q: 'stripes or water', mode: 'fullText' }

    const overHttp = await ask(`/db/search?q=${encodeURIComponent(input.q)}&mode=fullText`, { key })
    const overRpc = await rpc('DB_ADMIN', 'search', { ...input, ns: tenant })
    const overMcp = await client.callTool({ name: 'db_search', arguments: input })

    expect(found(overHttp).sort()).toEqual(['book/herons', 'book/zebras'])
    expect(overRpc.value).toEqual(overHttp.data)
    expect(overMcp.structuredContent).toEqual(overHttp.data)
  })

  it('never in another tenant', async () => {
    const { tenant } = await reader()
    const stranger = await makeKey({ permissions: ['things:read'], tenant: unique('library') })

    const [own, theirs] = await Promise.all([ask('/db/search?q=zebra', { key: stranger.key }), ask(`/db/search?q=zebra&ns=${tenant}`, { key: stranger.key })])

    expect(own).toMatchObject({ status: 200, data: { items: [], nextCursor: null } })
    expect(theirs).toMatchObject({ status: 404, error: { code: 'NOT_FOUND' } })
  })

  it('no longer once they are deleted, and again once they are restored', async () => {
    const { key } = await reader()
    const find = async () => found(await ask('/db/search?q=stripes', { key })).includes('book/zebras')

    await ask('/db/things/book/zebras', { key, method: 'DELETE' })
    const whileDeleted = await find()
    await ask('/db/restore/book/zebras', { key, method: 'POST', body: {} })

    expect([whileDeleted, await find()]).toEqual([false, true])
  })
})

describe('a search', () => {
  it.each([
    ['nothing to look for', '', 'q'],
    ['a mode there is not', 'q=a&mode=magic', 'mode'],
    ['a filter that is no JSON', 'q=a&filter={', 'filter'],
    ['a cursor of one’s own making', 'q=zebra&cursor=WzEsIm90aGVyIl0', 'cursor'],
    ['more than a page holds', 'q=a&limit=101', 'limit'],
  ])('with %s is refused, and the field named', async (_name, query, path) => {
    const { status, error } = await ask(`/db/search?${query}`, { key: adminKey })

    expect([status, error['code']]).toEqual([400, 'INVALID'])
    expect((error['details'] as unknown as { path: string }[])[0]?.path).toBe(path)
  })

  it.each([
    ['hundreds of alternatives', 'a or zebra or '.repeat(70)],
    ['a thousand exclamation marks', '!'.repeat(1_000)],
    ['operators', ':* <-> & | ('],
    ['quotes without end', '""" zebra "'],
    ['SQL', "') or true --"],
    ['backslashes', "\\ \\' zebra"],
  ])('for %s answers', async (_name, q) => {
    const { status } = await ask(`/db/search?q=${encodeURIComponent(q)}`, { key: adminKey })

    expect(status).toBe(200)
  })

  it('needs things:read', async () => {
    const { key } = await makeKey({ permissions: ['things:write'] })

    expect((await ask('/db/search?q=zebra', { key })).status).toBe(403)
    expect((await ask('/db/search?q=zebra')).status).toBe(401)
  })
})
