import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose'
import { describe, expect, inject, it, vi } from 'vitest'
import { admin, ask, makeKey, nextAddress, unique, type Answered, type Loose } from './client.ts'
import { codeFor } from './visitor.ts'

const platform = inject('platform')

/** Asks as a program that is not signed in: without a credential in a header, a body has to say that it is JSON. */
function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answered> {
  return ask(path, { body, headers: { 'content-type': 'application/json', ...headers } })
}

/** Signs in by a code from the mailbox, as a program does. */
async function signIn({
  email = `${unique('person')}@example.com`,
  device = 'Test',
  headers = {},
}: { email?: string; device?: string; headers?: Record<string, string> } = {}) {
  const sent = await post('/auth/codes', { email })
  if (sent.status !== 200) throw new Error(`No code was sent: ${sent.text}`)
  const { status, data, text } = await post('/auth/sessions', { email, code: await codeFor(email), device }, headers)
  if (status !== 201) throw new Error(`Nobody was signed in: ${text}`)
  return { email, ...tokensOf(data) }
}

function tokensOf(data: Loose) {
  const { accessToken, refreshToken, session, user, organisation } = data
  return {
    key: String(accessToken),
    refreshToken: String(refreshToken),
    session: String(session?.['id']),
    user: String(user?.['id']),
    organisation: { id: String(organisation?.['id']), slug: String(organisation?.['slug']) },
  }
}

const refresh = (refreshToken: string) => post('/auth/refresh', { refreshToken })

/** Waits until db refuses an access token; not more often than its user may ask. */
function refusal(key: string): Promise<unknown> {
  return vi.waitFor(async () => expect((await ask('/db/things', { key })).status).toBe(401), { timeout: 8_000, interval: 300 })
}

describe('a session', () => {
  it('begins with a code from the mailbox, writes to db in its own namespace, is refreshed, and is refused once logged out', async () => {
    const { key, refreshToken, organisation, session } = await signIn()

    const written = await ask('/db/things', { key, body: { $type: 'Note', content: 'from a session' } })
    const renewed = tokensOf((await refresh(refreshToken)).data)
    const read = await ask('/db/things', { key: renewed.key })
    const me = await ask('/auth/me', { key: renewed.key })
    const out = await ask('/auth/logout', { key: renewed.key, body: {} })

    expect([written.status, read.status, out.status]).toEqual([201, 200, 200])
    expect(written.data).toMatchObject({ ns: organisation.slug })
    expect(read.data['items']).toMatchObject([{ content: 'from a session' }])
    expect(me.data).toMatchObject({ session: { id: session, current: true }, principal: { kind: 'user', tenant: organisation.slug } })
    expect(renewed.session).toBe(session)
    await refusal(renewed.key)
    expect((await refresh(renewed.refreshToken)).status).toBe(401)
  })

  it('is another for each sign-in, also for one that brings an older session along', async () => {
    const first = await signIn()

    const second = await signIn({ email: first.email, headers: { authorization: `Bearer ${first.key}` } })

    expect(second.user).toBe(first.user)
    expect(second.session).not.toBe(first.session)
  })

  it('is listed with the device that it is on and the address it was last used from', async () => {
    const address = nextAddress()
    const { key, email } = await signIn({ device: 'Laptop', headers: { 'cf-connecting-ip': address } })
    await signIn({ email, device: 'Phone' })

    const { data } = await ask('/auth/sessions', { key })

    expect(data['items']).toMatchObject([
      { device: 'Phone', current: false },
      { device: 'Laptop', address, current: true },
    ])
  })

  it('that is revoked strictly is refused with its access token, while another of the user goes on', async () => {
    const phone = await signIn()
    const laptop = await signIn({ email: phone.email })

    const revoked = await ask(`/auth/sessions/${phone.session}`, { key: laptop.key, method: 'DELETE', body: { strict: true } })

    expect(revoked).toMatchObject({ status: 200, data: { id: phone.session, current: false } })
    await refusal(phone.key)
    expect((await ask('/db/things', { key: laptop.key })).status).toBe(200)
  })

  it('is over on every device once its user logs out everywhere, and a new sign-in is not', async () => {
    const phone = await signIn()
    const laptop = await signIn({ email: phone.email })

    const { data } = await ask('/auth/logout-everywhere', { key: laptop.key, body: {} })
    const again = await signIn({ email: phone.email })

    expect(data).toEqual({ sessions: 2 })
    for (const { key, refreshToken } of [phone, laptop]) {
      await refusal(key)
      expect((await refresh(refreshToken)).status).toBe(401)
    }
    expect((await ask('/db/things', { key: again.key })).status).toBe(200)
  })

  it('of a user whom the platform disables is refused, and so is a new one', async () => {
    const { key, user, email, refreshToken } = await signIn()

    await admin(`/auth/users/${user}/disable`, { body: {} })
    await refusal(key)
    await post('/auth/codes', { email })
    const signedIn = await post('/auth/sessions', { email, code: await codeFor(email) })

    expect([(await refresh(refreshToken)).status, signedIn.status]).toEqual([401, 403])
  })
})

describe('a refresh token', () => {
  it('gives twenty who race one answer, and ends the session when it comes back after others', async () => {
    const { refreshToken, session } = await signIn()

    const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(refreshToken)))
    let newest = tokensOf(answers[0]?.data ?? {})
    for (let count = 0; count < 20; count++) newest = tokensOf((await refresh(newest.refreshToken)).data)
    const stolen = await refresh(refreshToken)

    expect(new Set(answers.map(({ data }) => JSON.stringify(data))).size).toBe(1)
    expect(stolen).toMatchObject({ status: 401, error: { code: 'UNAUTHENTICATED' } })
    expect((await refresh(newest.refreshToken)).status).toBe(401)
    await refusal(newest.key)
    const { data } = await admin(`/auth/audit?subject=${session}`)
    expect(data['items']).toMatchObject([{ action: 'auth.refuseReusedToken' }, { action: 'auth.signIn' }])
    expect((await admin('/auth/audit/verify')).data).toMatchObject({ valid: true })
  })
})

describe('the keys of access tokens', () => {
  it('are published for whoever verifies a token without asking, and rotate without ending a session', async () => {
    const { key, user } = await signIn()
    const published = async () => JSON.parse((await ask('/.well-known/jwks.json')).text) as JSONWebKeySet
    const verify = async (token: string) =>
      jwtVerify(token, createLocalJWKSet(await published()), { issuer: platform.url, audience: platform.url, typ: 'at+jwt' })

    const before = await verify(key)
    const rotated = await admin('/auth/signing-keys/rotate', { body: {}, headers: { 'idempotency-key': unique('rotation') } })
    const after = await signIn()

    expect(before.payload).toMatchObject({ sub: user, kind: 'user' })
    expect((await verify(after.key)).protectedHeader.kid).toBe(rotated.data['kid'])
    expect((await ask('/db/things', { key })).status).toBe(200)
    expect((await ask('/db/things', { key: after.key })).status).toBe(200)
    expect((await ask('/.well-known/jwks.json')).headers['cache-control']).toBe('public, max-age=300')
  })
})

describe('who may look after users', () => {
  it.each([
    ['list users', '/auth/users', 'GET'],
    ['disable one', '/auth/users/user_00000000000000000000000000/disable', 'POST'],
    ['list signing keys', '/auth/signing-keys', 'GET'],
    ['rotate them', '/auth/signing-keys/rotate', 'POST'],
  ])('is the platform, not the admin of an organisation: %s', async (_name, path, method) => {
    const { key } = await signIn()
    const ofTenant = await makeKey({ permissions: ['things:read'], tenant: unique('tenant') })

    for (const asking of [key, ofTenant.key]) expect((await ask(path, { key: asking, method, ...(method === 'POST' && { body: {} }) })).status).toBe(403)
  })
})
