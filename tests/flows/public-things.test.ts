import { describe, expect, inject, it } from 'vitest'
import { admin, ask, makeKey, unique } from './client.ts'

const { port } = inject('platform')

async function explain(url: string, method = 'GET'): Promise<unknown> {
  return (await admin(`/_routes?explain=${encodeURIComponent(url)}&method=${method}`)).data['explanation']
}

describe('what is public', () => {
  it('is read by anyone on its namespace’s host, as it is, as it was, by type and by glob', async () => {
    const { key, tenant } = await makeKey({ permissions: ['things:read', 'things:write'], tenant: unique('tenant') })
    const host = `${tenant}.mw.localhost:${port}`
    const write = (body: object) => ask('/db/things', { key, body })
    const first = await write({ $type: 'Note', $id: 'note/hello', content: 'one', visibility: 'public' })
    const second = await write({ $type: 'Note', $id: 'note/hello', content: 'two', visibility: 'public' })
    await write({ $type: 'Page', $id: 'page', visibility: 'public' })
    await write({ $type: 'Note', $id: 'note/secret', content: 'hidden' })
    const ids = async (path: string) => ((await ask(path, { host })).data['items'] as unknown as { $id: string }[]).map(({ $id }) => $id)
    const today = new Date().toISOString().slice(0, 10)

    for (const path of ['/note/hello', '/note/hello@2', '/note/hello::Note', '/note%2Fhello', `/note/hello@${today}`])
      expect(await ask(path, { host })).toMatchObject({ status: 200, data: second.data })
    expect(await ask('/note/hello@1', { host })).toMatchObject({ status: 200, data: first.data })
    for (const path of ['/', '/**', '/%2A%2A', '/**/*']) expect(await ids(path)).toEqual(['note/hello', 'page'])
    for (const path of ['/note/*', '/::Note', '/Thing::Note', '/%3A%3ANote', '/?type=Note']) expect(await ids(path)).toEqual(['note/hello'])
    expect((await ask('/?limit=1', { host })).data).toMatchObject({ items: [{ $id: 'note/hello' }], nextCursor: expect.any(String) as unknown })
    for (const path of ['/note/secret', '/note/secret@1', '/note/hello@9', '/nothing']) expect((await ask(path, { host })).status).toBe(404)
    for (const path of ['/note/hello@86Rf07', '/note//hello', '/..%2fx', '/%zz', '/?limit=0', '/?cursor=x'])
      expect((await ask(path, { host })).status).toBe(400)
  })

  it('is the same for all: credentials are neither needed nor looked at, and nothing else is read by them', async () => {
    const { key, tenant } = await makeKey({ permissions: ['things:read', 'things:write'], tenant: unique('tenant') })
    const host = `${tenant}.mw.localhost:${port}`
    await ask('/db/things', { key, body: { $type: 'Note', $id: 'mine' } })

    for (const given of [key, 'sk_test_broken', 'no.such.token', undefined]) {
      expect((await ask('/mine', { host, key: given })).status).toBe(404)
      expect((await ask('/', { host, key: given })).data).toEqual({ items: [], nextCursor: null })
      expect((await ask('/_mine', { host, key: given })).status).toBe(401)
    }
  })

  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('is not changed there by %s', async (method) => {
    expect(await ask('/note', { method, host: `default.mw.localhost:${port}`, key: inject('platform').adminKey })).toMatchObject({
      status: 405,
      headers: { allow: 'GET, HEAD' },
    })
  })

  it('is told with a tag, and not told again to those who have it', async () => {
    const { key, tenant } = await makeKey({ permissions: ['things:write'], tenant: unique('tenant') })
    const host = `${tenant}.mw.localhost:${port}`
    await ask('/db/things', { key, body: { $type: 'Note', $id: 'a', visibility: 'public' } })

    for (const path of ['/a', '/']) {
      const { headers } = await ask(path, { host })
      const again = await ask(path, { host, headers: { 'if-none-match': String(headers['etag']) } })
      const head = await ask(path, { host, method: 'HEAD' })

      expect(headers['etag']).toMatch(/^"[\w-]+"$/)
      expect(headers['cache-control']).toMatch(/^public, max-age=60, stale-while-revalidate=/)
      expect(again).toMatchObject({ status: 304, text: '', headers: { etag: headers['etag'] } })
      expect(head).toMatchObject({ status: 200, text: '', headers: { etag: headers['etag'] } })
    }
  })

  it('has no host but those of namespaces', async () => {
    for (const host of ['mw', 'a.b.mw', 'x_y.mw']) expect((await ask('/', { host: `${host}.localhost:${port}` })).status).toBe(404)
    expect(await explain('https://acme.mw/note')).toMatchObject({
      layer: 'host',
      rule: 'host acme.mw, what is public',
      permission: 'public',
      access: 'granted',
    })
    expect(await explain('https://acme.mw/note', 'POST')).toMatchObject({ access: 'denied' })
  })
})

describe('paths of things through the gateway', () => {
  it('take globs, versions and types, however they are encoded', async () => {
    const { key } = await makeKey({ permissions: ['things:read', 'things:write'], tenant: unique('tenant') })
    for (const $id of ['note/a', 'note/b', 'note/c/d']) await ask('/db/things', { key, body: { $type: 'Note', $id, content: $id } })
    const ids = async (path: string, host?: string) =>
      ((await ask(path, { key, ...(host === undefined ? {} : { host }) })).data['items'] as unknown as { $id: string }[]).map(({ $id }) => $id)

    for (const path of ['/db/things/note/*', '/db/things/note/%2A', '/db/things/note%2F*', '/api/db/things/note/*'])
      expect(await ids(path)).toEqual(['note/a', 'note/b'])
    for (const path of ['/db/things/**', '/db/things/%2a%2a', '/db/things/::Note', '/db/things/%3A%3ANote', '/db/things/Thing::Note', '/db/things/**/*'])
      expect(await ids(path)).toEqual(['note/a', 'note/b', 'note/c/d'])
    expect(await ids('/things/note/**', `db.do.localhost:${port}`)).toEqual(['note/a', 'note/b', 'note/c/d'])
    for (const path of ['/db/things/note/a@1', '/db/things/note/a%401', '/db/things/note%2Fa::Note@1', '/db/things/note/a@9999-12-31'])
      expect((await ask(path, { key })).data).toMatchObject({ $id: 'note/a', version: 1 })
  })
})
