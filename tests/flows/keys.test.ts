import { generateApiKey } from '@dot-do/worker-utils'
import { describe, expect, it } from 'vitest'
import { admin, ask, makeKey, rpc, unique } from './client.ts'

/** Asks until the answer has the status, for at most as long as a cached key may live; the last answer tells where it stopped. */
async function within(ms: number, status: number, asking: () => Promise<{ status: number }>): Promise<{ status: number }> {
  const until = Date.now() + ms
  let answer = await asking()
  while (answer.status !== status && Date.now() < until) answer = await asking()
  return answer
}

describe('an API key', () => {
  it('is shown once, may do what it was given and nothing else', async () => {
    const made = await admin('/auth/apikeys', { body: { name: 'reader', permissions: ['things:read'], expiresInDays: 30 } })
    const key = String(made.data['key'])

    const [listed, read, write, keys] = await Promise.all([
      admin(`/auth/apikeys/${made.data['id']}`),
      ask('/db/things', { key }),
      ask('/db/things', { key, body: { $type: 'Note' } }),
      ask('/auth/apikeys', { key }),
    ])

    expect(made.status).toBe(201)
    expect(key).toMatch(/^sk_test_/)
    expect(listed.text).not.toContain(key)
    expect(listed.data).not.toHaveProperty('hash')
    expect(listed.data).toMatchObject({ name: 'reader', permissions: ['things:read'], tenant: 'default' })
    expect(read.status).toBe(200)
    expect(write).toMatchObject({ status: 403, error: { code: 'FORBIDDEN' } })
    expect(keys.status).toBe(403)
  })

  it('works as X-API-Key too', async () => {
    const { key } = await makeKey({ permissions: ['things:read'] })

    expect((await ask('/db/things', { headers: { 'x-api-key': key } })).status).toBe(200)
  })

  it('is refused everywhere within five seconds of its revocation', async () => {
    const { id, key } = await makeKey({ permissions: ['things:read'] })
    await ask('/db/things', { key })

    const revoked = await admin(`/auth/apikeys/${id}`, { method: 'DELETE' })
    const answer = await within(6_000, 401, () => ask('/db/things', { key }))

    expect(revoked.data['revokedAt']).not.toBeNull()
    expect(answer).toMatchObject({ status: 401, error: { code: 'UNAUTHENTICATED' } })
  })

  it('is refused with the reason when it is not in force', async () => {
    const revoked = await makeKey({ permissions: ['things:read'] })
    await admin(`/auth/apikeys/${revoked.id}`, { method: 'DELETE' })
    const expired = await makeKey({ permissions: ['things:read'], expiresInDays: 1 })
    await rpc('DB_AS_AUTH', 'execute', {
      statements: [{ sql: `update auth.keys set expires_at = now() - interval '1 second' where id = $1`, params: [expired.id] }],
    })
    const misspelt = revoked.key.slice(0, -1) + (revoked.key.endsWith('A') ? 'B' : 'A')

    const answers = await Promise.all(
      [revoked.key, expired.key, misspelt, generateApiKey('test'), generateApiKey('live'), 'sk_test_short', '', 'Bearer x', 'eyJhbGciOiJub25lIn0.e30.'].map(
        (key) => ask('/db/things', { key }),
      ),
    )

    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 401))
    expect(answers.slice(0, 5).map(({ error }) => error['message'])).toEqual([
      'This API key was revoked',
      'This API key has expired',
      'This is not an API key: its form or checksum is wrong',
      'This API key is not known',
      'This API key belongs to another sort of deployment (live or test)',
    ])
  })

  it('can be used from its allowed addresses only', async () => {
    const { key } = await makeKey({ permissions: ['things:read'], allowedAddresses: ['203.0.113.0/24', '2001:db8::/32'] })
    const from = (address: string) => ask('/db/things', { key, headers: { 'cf-connecting-ip': address } })

    const answers = await Promise.all(['203.0.113.9', '2001:db8::7', '198.51.100.1', '2001:db9::1', 'nonsense'].map(from))
    const nowhere = await ask('/db/things', { key })

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 401, 401, 401])
    expect(nowhere.status).toBe(401)
  })

  it('rotates: the new key works at once, the old one until its grace ends, and only once', async () => {
    const old = await makeKey({ permissions: ['things:read'] })

    const rotated = await admin(`/auth/apikeys/${old.id}/rotate`, { body: { graceSeconds: 0 } })
    const again = await admin(`/auth/apikeys/${old.id}/rotate`, { body: {} })
    const fresh = await ask('/db/things', { key: String(rotated.data['key']) })
    const spent = await ask('/db/things', { key: old.key })

    expect(rotated.status).toBe(201)
    expect(fresh.status).toBe(200)
    expect(spent.status).toBe(401)
    expect(again).toMatchObject({ status: 409, error: { code: 'CONFLICT' } })
  })

  it('is rotated once, however many try at the same time', async () => {
    const old = await makeKey({ permissions: ['things:read'] })

    const answers = await Promise.all(Array.from({ length: 6 }, () => admin(`/auth/apikeys/${old.id}/rotate`, { body: {} })))

    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409, 409])
  })

  it('is made once per Idempotency-Key, and the replay does not show it again', async () => {
    const asked = { body: { name: 'once', permissions: ['things:read'] }, headers: { 'idempotency-key': unique('key') } }

    const first = await admin('/auth/apikeys', asked)
    const again = await admin('/auth/apikeys', asked)

    expect(first.data).toHaveProperty('key')
    expect(again.data).not.toHaveProperty('key')
    expect(again).toMatchObject({ status: 201, data: { id: first.data['id'] } })
  })

  it('cannot give what its holder lacks', async () => {
    const { key } = await makeKey({ permissions: ['keys:write', 'keys:read', 'deployments:create@blog/*/acme'], tenant: unique('tenant') })
    const give = (input: object) => ask('/auth/apikeys', { key, body: { name: 'x', ...input } })

    const allowed = await give({ permissions: ['keys:read', 'deployments:create@blog/production/acme'] })
    const refused = await Promise.all([
      give({ permissions: ['*'] }),
      give({ permissions: ['keys:*'] }),
      give({ permissions: ['deployments:create'] }),
      give({ permissions: ['deploy'] }),
      give({ permissions: ['deployments:create@blog/production'] }),
      give({ permissions: ['keys:read'], limitPerMinute: 5000 }),
      give({ role: 'admin' }),
    ])
    const otherTenant = await give({ permissions: ['keys:read'], tenant: 'default' })

    expect(allowed.status).toBe(201)
    expect(refused.map(({ status }) => status)).toEqual(refused.map(() => 403))
    expect(otherTenant.status).toBe(404)
  })

  it('sees the keys of its own tenant only', async () => {
    const ours = await makeKey({ permissions: ['keys:read', 'keys:write'], tenant: unique('tenant') })
    const theirs = await makeKey({ permissions: ['things:read'], tenant: unique('tenant') })

    const list = await ask('/auth/apikeys', { key: ours.key })
    const others = await Promise.all([
      ask(`/auth/apikeys/${theirs.id}`, { key: ours.key }),
      ask(`/auth/apikeys/${theirs.id}`, { key: ours.key, method: 'DELETE' }),
      ask(`/auth/apikeys/${theirs.id}/rotate`, { key: ours.key, body: {} }),
    ])

    expect((list.data['items'] as unknown as { id: string }[]).map(({ id }) => id)).toEqual([ours.id])
    expect(others.map(({ status }) => status)).toEqual([404, 404, 404])
  })

  it('gets a role’s permissions', async () => {
    const { key } = await makeKey({ role: 'viewer' })

    const [can, cannot] = await Promise.all([ask('/auth/can?permission=things:read', { key }), ask('/auth/can?permission=things:write', { key })])

    expect(can.data).toMatchObject({ allowed: true })
    expect(cannot.data).toMatchObject({ allowed: false, reason: expect.stringContaining('things:write') as unknown })
  })

  it('narrowed to a resource may do nothing beyond it', async () => {
    const { key } = await makeKey({ permissions: ['deployments:create@blog/production/acme'] })
    const can = async (query: string) => (await ask(`/auth/can?permission=deployments:create${query}`, { key })).data['allowed']

    expect(
      await Promise.all([
        can('&service=blog&environment=production&tenant=acme'),
        can('&service=blog&environment=staging&tenant=acme'),
        can('&service=blog'),
        can(''),
      ]),
    ).toEqual([true, false, false, false])
  })

  it('is listed newest first, page by page', async () => {
    const tenant = unique('tenant')
    const { key } = await makeKey({ permissions: ['keys:read'], tenant })
    for (let made = 0; made < 4; made++) await makeKey({ permissions: ['things:read'], tenant, name: `key ${made}` })

    const first = await ask('/auth/apikeys?limit=3', { key })
    const second = await ask(`/auth/apikeys?limit=3&cursor=${first.data['nextCursor']}`, { key })

    const names = [first, second].flatMap(({ data }) => (data['items'] as unknown as { name: string }[]).map(({ name }) => name))
    expect(names).toEqual(['key 3', 'key 2', 'key 1', 'key 0', 'test'])
    expect(second.data['nextCursor']).toBeNull()
  })
})

describe('the audit log', () => {
  it('tells every change to a key, by whom, and chains', async () => {
    const { id } = await makeKey({ permissions: ['things:read'] })
    await admin(`/auth/apikeys/${id}`, { method: 'DELETE' })

    const { data } = await admin(`/auth/audit?subject=${id}`)
    const verified = await admin('/auth/audit/verify')

    expect(data['items']).toMatchObject([{ action: 'auth.revokeKey' }, { action: 'auth.createKey', detail: { permissions: ['things:read'] } }])
    expect(verified.data).toMatchObject({ valid: true })
  })

  it('cannot be changed by the service that writes it', async () => {
    const attempts = await Promise.all(
      ['update auth.audit set actor = $1', 'delete from auth.audit where actor <> $1'].map((sql) =>
        rpc('DB_AS_AUTH', 'execute', { statements: [{ sql, params: ['x'] }] }),
      ),
    )

    expect(attempts.map(({ error }) => error['code'])).toEqual(['FORBIDDEN', 'FORBIDDEN'])
  })
})
