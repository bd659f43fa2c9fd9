import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { describe, expect, inject, it } from 'vitest'
import { admin, ask, makeKey, rpc, unique, type Answered } from './client.ts'

const { url } = inject('platform')

/** A tenant with things of these names, and its key. */
async function tenantWith(...ids: string[]): Promise<string> {
  const { key } = await makeKey({ permissions: ['things:read', 'things:write'], tenant: unique('tenant') })
  await ask('/db/import', { key, body: { lines: ids.map(($id) => ({ $type: 'Node', $id })) } })
  return key
}

function told({ data }: Answered): string[] {
  return (data['items'] as unknown as { depth: number; from: string; to: string }[]).map(({ depth, from, to }) => `${depth} ${from} ${to}`)
}

describe('relationships over HTTP', () => {
  it('are said, said otherwise, walked both ways and taken back', async () => {
    const key = await tenantWith('a', 'b')
    const body = { from: 'a', predicate: 'likes', to: 'b' }

    const first = await ask('/db/relationships', { key, body })
    const other = await ask('/db/relationships', { key, body: { ...body, data: { how: 'much' } } })
    const [forwards, backwards] = await Promise.all([ask('/db/relationships?from=a', { key }), ask('/db/incoming?to=b', { key })])
    const taken = await ask('/db/relationships?from=a&predicate=likes&to=b', { key, method: 'DELETE' })
    const again = await ask('/db/relationships', { key, method: 'DELETE', body })

    expect(first).toMatchObject({ status: 201, data: { ...body, version: 1 } })
    expect(other).toMatchObject({ status: 200, data: { id: first.data['id'], version: 2, data: { how: 'much' } } })
    expect(forwards.data).toEqual({ items: [{ ...other.data, depth: 1 }], nextCursor: null })
    expect(backwards.data).toEqual(forwards.data)
    expect(taken).toMatchObject({ status: 200, data: { id: first.data['id'], version: 3 } })
    expect(again).toMatchObject({ status: 404, error: { code: 'NOT_FOUND', details: [{ path: 'predicate' }] } })
  })

  it('are walked around a circle once, nearest first, page by page', async () => {
    const key = await tenantWith('a', 'b', 'c', 'd')
    const commands = ['ab', 'bc', 'ca', 'cd', 'da'].map(([from, to]) => ({ operation: 'relate', input: { from, predicate: 'to', to } }))
    await ask('/db/batch', { key, body: { commands } })

    const first = await ask('/db/relationships?from=a&depth=5&limit=3', { key })
    const second = await ask(`/db/relationships?from=a&depth=5&limit=3&cursor=${String(first.data['nextCursor'])}`, { key })
    const incoming = await ask('/db/incoming?to=a&depth=2', { key })

    expect([...told(first), ...told(second)]).toEqual(['1 a b', '2 b c', '3 c a', '3 c d', '4 d a'])
    expect(second.data['nextCursor']).toBeNull()
    expect(told(incoming)).toEqual(['1 c a', '1 d a', '2 b c', '2 c d'])
  })

  it('of a deleted thing are not shown until it is back', async () => {
    const key = await tenantWith('a', 'b')
    await ask('/db/relationships', { key, body: { from: 'a', predicate: 'p', to: 'b' } })

    await ask('/db/things/b', { key, method: 'DELETE' })
    const hidden = await ask('/db/relationships?from=a', { key })
    const refused = await ask('/db/relationships', { key, body: { from: 'a', predicate: 'q', to: 'b' } })
    await ask('/db/restore/b', { key, method: 'POST', body: {} })
    const back = await ask('/db/relationships?from=a', { key })

    expect(told(hidden)).toEqual([])
    expect(refused).toMatchObject({ status: 404, error: { details: [{ path: 'to' }] } })
    expect(told(back)).toEqual(['1 a b'])
  })

  it.each(['depth=50', 'depth=0', 'depth=x', 'cursor=nonsense', 'cursor=WzEsImEiXQ', 'limit=0', `predicate=${encodeURIComponent(`p' or true`)}`])(
    'refuse %s and name it',
    async (query) => {
      const { status, error } = await admin(`/db/relationships?from=a&${query}`)

      expect(status).toBe(400)
      expect(error).toMatchObject({ code: 'INVALID', details: [{ path: query.split('=')[0] }] })
    },
  )
})

describe('relationships over RPC and MCP', () => {
  it('are the same as over HTTP', async () => {
    const [from, to] = [unique('node'), unique('node')]
    for (const $id of [from, to]) await rpc('DB_ADMIN', 'upsert', { $type: 'Node', $id })
    const mcp = new Client({ name: 'flows', version: '1.0.0' })
    await mcp.connect(
      new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { requestInit: { headers: { authorization: `Bearer ${inject('platform').adminKey}` } } }),
    )

    const made = await mcp.callTool({ name: 'db_relate', arguments: { from, predicate: 'p', to } })
    const overRpc = await rpc('DB_ADMIN', 'relationships', { from })
    const overMcp = await mcp.callTool({ name: 'db_relationships', arguments: { from } })
    const overHttp = await admin(`/db/relationships?from=${from}`)
    await mcp.close()

    expect(overHttp.data).toEqual({ items: [{ ...(made.structuredContent as object), depth: 1 }], nextCursor: null })
    expect(overRpc.value).toEqual(overHttp.data)
    expect(overMcp.structuredContent).toEqual(overHttp.data)
  })
})
