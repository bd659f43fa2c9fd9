import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterAll, describe, expect, inject, it } from 'vitest'
import { admin, ask, makeKey, rpc, unique, type Loose } from './client.ts'

const { url, adminKey } = inject('platform')
const clients: Client[] = []

async function connect(path: string, key: string): Promise<Client> {
  const client = new Client({ name: 'flows', version: '1.0.0' })
  await client.connect(new StreamableHTTPClientTransport(new URL(url + path), { requestInit: { headers: { authorization: `Bearer ${key}` } } }))
  clients.push(client)
  return client
}

async function toolNames(client: Client): Promise<string[]> {
  const { tools } = await client.listTools()
  return tools.map(({ name }) => name)
}

afterAll(() => Promise.all(clients.map((client) => client.close())))

describe('the same operation over HTTP, RPC and MCP', () => {
  it('gives the same answer', async () => {
    const $id = unique('note')
    await admin('/db/things', { body: { $type: 'Note', $id, content: 'Hi', data: { a: [1] } } })
    const mcp = await connect('/mcp', adminKey)

    const overHttp = await admin(`/db/things/${$id}`)
    const overRpc = await rpc('DB_ADMIN', 'get', { id: $id })
    const overMcp = await mcp.callTool({ name: 'db_get', arguments: { id: $id } })

    expect(overRpc.value).toEqual(overHttp.data)
    expect(overMcp.structuredContent).toEqual(overHttp.data)
  })

  it.each([
    ['what is not there', 'get', { id: 'no/such' }, 'NOT_FOUND'],
    ['a wrong input', 'list', { limit: 0 }, 'INVALID'],
    ['a stale version', 'delete', { id: 'codes/thing', ifVersion: 7 }, 'CONFLICT'],
  ])('gives the same code for %s', async (_name, operation, input: Record<string, unknown>, code) => {
    await admin('/db/things', { body: { $type: 'Note', $id: 'codes/thing' } })
    const mcp = await connect('/mcp', adminKey)
    const path = operation === 'list' ? '/db/things?limit=0' : `/db/things/${String(input['id'])}`

    const overHttp = operation === 'delete' ? undefined : await admin(path)
    const overRpc = await rpc('DB_ADMIN', operation, input)
    const overMcp = await mcp.callTool({ name: `db_${operation}`, arguments: input })

    const [content] = overMcp.content as { text: string }[]
    const failed = JSON.parse(content?.text ?? '{}') as { error: Loose }
    expect(overMcp.isError).toBe(true)
    expect(failed.error['code']).toBe(code)
    expect(overRpc.error['code']).toBe(code)
    if (overHttp) expect(overHttp.error['code']).toBe(code)
  })
})

describe('mcp', () => {
  it('shows each principal the tools it may use, and runs no other', async () => {
    const { key } = await makeKey({ permissions: ['things:read'] })
    const [all, reader] = [await connect('/mcp', adminKey), await connect('/mcp', key)]

    const names = await toolNames(reader)
    const refused = await reader.callTool({ name: 'db_upsert', arguments: { $type: 'Note' } })

    expect(await toolNames(all)).toEqual(expect.arrayContaining(['db_query', 'db_get', 'db_list', 'db_stats', 'db_upsert', 'auth_create_key']))
    expect(names).toEqual(expect.arrayContaining(['db_get', 'db_list', 'auth_can']))
    expect(names.filter((name) => ['db_upsert', 'db_query', 'auth_create_key'].includes(name))).toEqual([])
    expect(refused.isError).toBe(true)
  })

  it('serves one service’s tools at that service', async () => {
    const names = await toolNames(await connect('/auth/mcp', adminKey))

    expect(names.length).toBeGreaterThan(0)
    expect(names.filter((name) => !name.startsWith('auth_'))).toEqual([])
    expect((await admin('/gateway/mcp', { body: {} })).status).toBe(404)
  })

  it.each(['2025-03-26', '2025-06-18', '2025-11-25'])('speaks revision %s', async (protocolVersion) => {
    const body = { jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion, capabilities: {}, clientInfo: { name: 'raw', version: '1' } } }

    const { status, text } = await admin('/mcp', { body, headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' } })

    expect(status).toBe(200)
    expect(text).toContain(`"protocolVersion":"${protocolVersion}"`)
  })

  it('speaks revision 2026-07-28 without a session', async () => {
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': {},
    }
    const headers = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/list',
    }

    const { status, text } = await admin('/mcp', { body: { jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta } }, headers })

    expect(status).toBe(200)
    expect(text).toContain('"db_get"')
  })

  it('is closed to strangers', async () => {
    expect((await ask('/mcp', { body: { jsonrpc: '2.0', id: 1, method: 'tools/list' } })).status).toBe(401)
  })
})
