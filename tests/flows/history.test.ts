import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { describe, expect, inject, it } from 'vitest'
import { admin, rpc, unique } from './client.ts'

const { url, adminKey } = inject('platform')

/** A note of three versions, the second of which is a deletion. */
async function writeNote(): Promise<string> {
  const $id = unique('note/history')
  await admin('/db/things', { body: { $type: 'Note', $id, content: 'one' } })
  await admin(`/db/things/${$id}`, { method: 'DELETE' })
  await admin('/db/things', { body: { $type: 'Page', $id, content: 'three' } })
  return $id
}

describe('a thing as it was', () => {
  it('is the same over HTTP, RPC and MCP', async () => {
    const $id = await writeNote()
    const mcp = new Client({ name: 'flows', version: '1.0.0' })
    await mcp.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { requestInit: { headers: { authorization: `Bearer ${adminKey}` } } }))

    const overHttp = await admin(`/db/things/${$id}@1`)
    const overRpc = await rpc('DB_ADMIN', 'get', { id: `${$id}@1` })
    const overMcp = await mcp.callTool({ name: 'db_get', arguments: { id: `${$id}@1` } })
    await mcp.close()

    expect(overHttp).toMatchObject({ status: 200, data: { $id, $type: 'Note', content: 'one', version: 1 } })
    expect(overRpc.value).toEqual(overHttp.data)
    expect(overMcp.structuredContent).toEqual(overHttp.data)
  })

  it('is found by version, day and moment in a path, also where it is encoded', async () => {
    const $id = await writeNote()
    const { createdAt } = (await admin(`/db/things/${$id}`)).data
    const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10)

    const found = await Promise.all(
      [`${$id}@3`, `${$id}%403`, `${$id}::Note@1`, `${$id}%3A%3ANote@1`, `${$id}@${tomorrow}`, `${$id}@${String(createdAt)}`].map((path) =>
        admin(`/db/things/${path}`),
      ),
    )
    const missing = await Promise.all([`${$id}@2`, `${$id}@4`, `${$id}::Page@1`, `${$id}@2020-01-01`].map((path) => admin(`/db/things/${path}`)))
    const wrong = await Promise.all([`${$id}@2026-02-30`, `${$id}@yesterday`, `${$id}@`].map((path) => admin(`/db/things/${path}`)))

    expect(found.map(({ data }) => data?.['version'])).toEqual([3, 3, 1, 1, 3, 1])
    expect(missing.map(({ status }) => status)).toEqual([404, 404, 404, 404])
    expect(wrong.map(({ status }) => status)).toEqual([400, 400, 400])
  })

  it('is found by getAt with a moment of any offset', async () => {
    const $id = await writeNote()
    const { updatedAt } = (await admin(`/db/things/${$id}`)).data
    const at = encodeURIComponent(String(updatedAt).replace('Z', '+00:00'))

    expect((await admin(`/db/at/${$id}?at=${at}`)).data).toMatchObject({ version: 3 })
    expect((await admin(`/db/at/${$id}?at=2020-01-01T00:00:00Z`)).status).toBe(404)
    expect(await admin(`/db/at/${$id}?at=now`)).toMatchObject({ status: 400, error: { details: [{ path: 'at' }] } })
  })
})

describe('restore', () => {
  it('brings back what was deleted, and a former state', async () => {
    const $id = await writeNote()

    const refused = await admin(`/db/restore/${$id}`, { method: 'POST', body: {} })
    const former = await admin(`/db/restore/${$id}`, { method: 'POST', body: { version: 1 } })
    await admin(`/db/things/${$id}`, { method: 'DELETE' })
    const back = await admin(`/db/restore/${$id}`, { method: 'POST', body: {} })

    expect(refused).toMatchObject({ status: 409, error: { code: 'CONFLICT', details: [{ path: 'id' }] } })
    expect(former).toMatchObject({ status: 200, data: { version: 4, $type: 'Note', content: 'one' } })
    expect(back).toMatchObject({ status: 200, data: { version: 6, $type: 'Note', content: 'one' } })
    expect((await admin(`/db/restore/${unique('never')}`, { method: 'POST', body: {} })).status).toBe(404)
  })

  it('happens once for one Idempotency-Key', async () => {
    const $id = await writeNote()
    await admin(`/db/things/${$id}`, { method: 'DELETE' })
    const headers = { 'idempotency-key': unique('idem') }

    const first = await admin(`/db/restore/${$id}`, { method: 'POST', body: {}, headers })
    const again = await admin(`/db/restore/${$id}`, { method: 'POST', body: {}, headers })

    expect(first.data).toMatchObject({ version: 5 })
    expect(again.data).toEqual(first.data)
  })
})

describe('what has happened', () => {
  it('is told by recent, types and activity', async () => {
    const $id = await writeNote()
    const type = unique('Type').replaceAll('-', '')
    await admin('/db/things', { body: { $type: type, $id: unique('note') } })

    const [recent, types, activity] = await Promise.all([
      admin('/db/recent?limit=100'),
      admin('/db/types?limit=100'),
      admin(`/db/activity?days=2&type=${type}`),
    ])

    expect((recent.data['items'] as unknown as { $id: string }[]).map((thing) => thing.$id)).toContain($id)
    expect(types.data['items']).toEqual(expect.arrayContaining([expect.objectContaining({ type, count: 1 })]))
    expect(activity.data).toMatchObject({ days: [{ type, operation: 'upsert', count: 1 }] })
  })
})
