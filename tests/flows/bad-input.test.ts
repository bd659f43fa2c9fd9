import { describe, expect, it } from 'vitest'
import { admin, ask, unique } from './client.ts'

const NOTE = { $type: 'Note', content: 'x' }

describe('bad input over HTTP', () => {
  it.each([
    ['broken JSON', '{"$type":', ''],
    ['JSON that is no object', '[1]', ''],
    ['a wrong type', { ...NOTE, content: 7 }, 'content'],
    ['a wrong type further down', { ...NOTE, data: 'text' }, 'data'],
    ['an unknown field', { ...NOTE, contents: 'typo' }, 'contents'],
    ['a missing field', { content: 'x' }, '$type'],
    ['a type that begins with a digit', { $type: '1Note' }, '$type'],
    ['an id with a parent segment', { ...NOTE, $id: 'a/../b' }, '$id'],
    ['an id with a reserved character', { ...NOTE, $id: 'a@b' }, '$id'],
    ['an id that ends in a slash', { ...NOTE, $id: 'a/' }, '$id'],
    ['an id of more than 512 bytes', { ...NOTE, $id: 'a'.repeat(513) }, '$id'],
    ['NUL in the content', { ...NOTE, content: 'a\u0000b' }, 'content'],
    ['NUL in the data', { ...NOTE, data: { a: ['\u0000'] } }, 'data'],
    ['NUL in a key of the data', { ...NOTE, data: { 'a\u0000': 1 } }, 'data'],
    ['half of a surrogate pair', { ...NOTE, content: '\ud800' }, 'content'],
    ['a version below zero', { ...NOTE, ifVersion: -1 }, 'ifVersion'],
    ['a namespace that is none', { ...NOTE, ns: 'No Such' }, 'ns'],
  ])('refuses %s and names the field', async (_name, body, path) => {
    const { status, error, text } = await admin('/db/things', { body })

    expect(status).toBe(400)
    expect(error['code']).toBe('INVALID')
    expect((error['details'] as unknown as { path: string }[]).some((detail) => detail.path.startsWith(path))).toBe(true)
    expect(text).not.toMatch(/at .*\.(ts|js):\d+/)
  })

  it.each([
    ['limit=0', 'limit'],
    ['limit=101', 'limit'],
    ['limit=many', 'limit'],
    ['cursor=nonsense', 'cursor'],
    ['cursor=WzFd', 'cursor'],
    ['type=', 'type'],
  ])('refuses the query %s', async (query, path) => {
    const { status, error } = await admin(`/db/things?${query}`)

    expect(status).toBe(400)
    expect(error['details']).toMatchObject([{ path }])
  })

  it('refuses a body of 2 MiB, announced or not, and stores nothing of it', async () => {
    const type = unique('Big')
    const body = JSON.stringify({ $type: type, content: 'x'.repeat(2 * 1_048_576) })

    const announced = await admin('/db/things', { body })
    const stranger = await ask('/db/things', { body })
    const { data } = await admin(`/db/count?type=${type}`)

    expect(announced).toMatchObject({ status: 413, error: { code: 'TOO_LARGE' } })
    expect(stranger.status).toBe(401)
    expect(data).toEqual({ count: 0 })
  })

  it('keeps SQL in every string a string', async () => {
    const sql = `'); drop table db.things; --`
    const id = unique('note')
    await admin('/db/things', { body: { ...NOTE, $id: id } })

    const answers = await Promise.all([
      admin(`/db/things/${encodeURIComponent(sql)}`),
      admin(`/db/things?type=${encodeURIComponent(sql)}`),
      admin(`/db/things?ns=${encodeURIComponent(sql)}`),
      admin(`/db/history/${encodeURIComponent(sql)}`),
      admin(`/db/count?type=${encodeURIComponent(sql)}`),
      admin('/db/things', { body: { ...NOTE, $type: sql } }),
      admin('/db/things', { body: { ...NOTE, visibility: sql } }),
      admin('/db/batch', { body: { commands: [{ operation: sql, input: {} }] } }),
      admin('/auth/apikeys', { body: { name: 'x', permissions: [sql] } }),
      admin(`/auth/apikeys/${encodeURIComponent(sql)}`),
      admin(`/auth/can?permission=${encodeURIComponent(sql)}`),
    ])

    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 400))
    expect((await admin(`/db/things/${id}`)).status).toBe(200)
  })

  it('reads a body without a content type as JSON for a header credential only', async () => {
    const body = JSON.stringify(NOTE)
    const form = { 'content-type': 'application/x-www-form-urlencoded' }

    const curl = await admin('/db/things', { body, headers: form })
    const cookie = await ask('/db/things', { body, headers: { ...form, cookie: '__Host-session=anything' } })

    expect(curl.status).toBe(201)
    expect(cookie.status).toBe(401)
  })

  it('says which path or method there is not', async () => {
    const [unknown, method, outside] = await Promise.all([admin('/db/nothing'), admin('/db/things', { method: 'PUT', body: NOTE }), admin('/nothing')])

    expect([unknown.status, method.status, outside.status]).toEqual([404, 404, 404])
    expect(method.error['message']).toContain('PUT /things')
    expect(outside.error['message']).toContain('/openapi.json')
  })
})
