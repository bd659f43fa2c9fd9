import { describe, expect, inject, it } from 'vitest'
import { askWorkos, codeFor, signInByCode, tokenIn, Visitor } from './visitor.ts'

const platform = inject('platform')

describe('a sign-in by a provider', () => {
  it('cannot be ended twice, not even by somebody who kept the cookie of it', async () => {
    const visitor = new Visitor()
    const answer = await askWorkos(visitor)
    const kept = visitor.jar.get('__Host-login') ?? ''
    await visitor.get(answer)
    const sessions = visitor.jar.get('__Host-session')

    const again = await visitor.get(answer)
    visitor.jar.set('__Host-login', kept)
    const replayed = await visitor.get(answer)

    expect([again.status, replayed.status]).toEqual([400, 401])
    expect(visitor.jar.get('__Host-session')).toBe(sessions)
  })

  it.each([
    ['without a state', (answer: URL) => answer.searchParams.delete('state')],
    ['with another state', (answer: URL) => answer.searchParams.set('state', 'a'.repeat(43))],
    ['with the state in other case', (answer: URL) => answer.searchParams.set('state', answer.searchParams.get('state')?.toUpperCase() ?? '')],
  ])('is refused %s', async (_what, change) => {
    const visitor = new Visitor()
    const answer = new URL(await askWorkos(visitor))
    change(answer)

    const refused = await visitor.get(answer.href)

    expect(refused.status).toBe(400)
    expect(refused.text).toContain('href="/auth/login"')
    expect(visitor.jar.size).toBe(0)
  })

  it('is refused in another browser than the one that began it', async () => {
    const [attacker, victim] = [new Visitor(), new Visitor()]
    const answer = await askWorkos(attacker)
    await victim.get('/auth/authorize?provider=workos')

    const refused = [await new Visitor().get(answer), await victim.get(answer)]

    expect(refused.map(({ status }) => status)).toEqual([400, 400])
    expect(victim.jar.has('__Host-session')).toBe(false)
  })

  it('names exactly one redirect address, whatever the request says of hosts', async () => {
    const away = await new Visitor().get('/auth/authorize?provider=workos&redirect_uri=https://evil.example', { 'x-forwarded-host': 'evil.example' })

    expect(new URL(away.location).searchParams.getAll('redirect_uri')).toEqual([`${platform.url}/auth/callback`])
  })

  it.each([['//evil.example'], ['/\\evil.example'], ['https://evil.example'], ['https://evil.example/docs'], ['javascript:alert(1)'], ['/\t/evil.example']])(
    'ends at the platform’s root where it was to end at %j',
    async (returnTo) => {
      const visitor = new Visitor()

      const signedIn = await visitor.get(await askWorkos(visitor, { return_to: returnTo }))

      expect(signedIn).toMatchObject({ status: 303, location: `${platform.url}/` })
    },
  )
})

describe('what a foreign page does', () => {
  const foreign: [string, Record<string, string>][] = [
    ['another origin', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
    ['another port of this machine', { origin: 'http://localhost:3000', 'sec-fetch-site': 'same-site' }],
    ['a published worker’s host', { origin: `http://acme.app.tenant.do.localhost:${platform.port}`, 'sec-fetch-site': 'same-site' }],
    ['a sandboxed frame', { origin: 'null', 'sec-fetch-site': 'cross-site' }],
  ]

  it.each(foreign)('from %s neither refreshes nor ends a session', async (_what, headers) => {
    const visitor = new Visitor()
    await visitor.get(await askWorkos(visitor))
    const before = new Map(visitor.jar)

    const refused = [await visitor.post('/auth/session/refresh', {}, headers), await visitor.post('/auth/session/logout', {}, headers)]

    expect(refused.map(({ status }) => status)).toEqual([403, 403])
    expect(visitor.jar).toEqual(before)
    expect((await visitor.fetch('/auth/me')).status).toBe(200)
  })

  it.each(foreign)('from %s signs nobody in as somebody else', async (_what, headers) => {
    const [attacker, victim] = [new Visitor(), new Visitor()]
    const page = await attacker.get('/auth/login')
    const asked = await attacker.post('/auth/login/code', { token: tokenIn(page), email: 'eve@code.example' })
    await victim.get('/auth/login')

    const refused = [
      await victim.post('/auth/login/code', { token: tokenIn(page), email: 'eve@code.example' }, headers),
      await victim.post('/auth/login', { token: tokenIn(asked), code: '00000000' }, headers),
    ]

    expect(refused.map(({ status }) => status)).toEqual([403, 403])
    expect(victim.jar.has('__Host-session')).toBe(false)
  })

  it.each(foreign)('from %s changes nothing with somebody’s cookies', async (_what, headers) => {
    const visitor = new Visitor()
    await visitor.get(await askWorkos(visitor))

    const form = await visitor.post('/auth/logout-everywhere', {}, { ...headers, 'content-type': 'text/plain' })
    const json = await visitor.post('/auth/logout-everywhere', {}, { ...headers, 'content-type': 'application/json' })

    expect([form.status, json.status]).toEqual([401, 401])
    expect((await visitor.fetch('/auth/me')).status).toBe(200)
  })

  it('neither begins nor ends a sign-in with the tokens of pages that it was shown itself', async () => {
    const [attacker, victim] = [new Visitor(), new Visitor()]
    const page = await attacker.get('/auth/login')
    const asked = await attacker.post('/auth/login/code', { token: tokenIn(page), email: 'eve2@code.example' })
    await victim.get('/auth/login')

    const begun = await victim.post('/auth/login/code', { token: tokenIn(page), email: 'eve2@code.example' })
    const own = await victim.post('/auth/login/code', { token: tokenIn(begun), email: 'victim@code.example' })
    const ended = await victim.post('/auth/login', { token: tokenIn(asked), code: await codeFor('eve2@code.example') })

    expect([begun.status, own.status, ended.status]).toEqual([403, 200, 403])
    expect(ended.text).toContain('open too long')
    expect(victim.jar.has('__Host-session')).toBe(false)
  })
})

describe('a cookie that was planted before', () => {
  it('of a session is replaced by the one that is signed in to', async () => {
    const [attacker, victim] = [new Visitor(), new Visitor()]
    await signInByCode(attacker, 'fixer@code.example')
    for (const [name, value] of attacker.jar) victim.jar.set(name, value)

    await victim.get(await askWorkos(victim))

    for (const name of ['__Host-session', '__Host-refresh']) expect(victim.jar.get(name)).not.toBe(attacker.jar.get(name))
    expect((await victim.fetch('/auth/me')).data).toMatchObject({ user: { email: 'ada@acme.example' } })
    expect((await attacker.fetch('/auth/me')).data).toMatchObject({ user: { email: 'fixer@code.example' } })
  })

  it('of a sign-in does not survive the sign-in page, nor the way to a provider', async () => {
    const [attacker, victim] = [new Visitor(), new Visitor()]
    const planted = await attacker.get('/auth/login')
    const cookie = attacker.jar.get('__Host-login') ?? ''

    victim.jar.set('__Host-login', cookie)
    await victim.get('/auth/login')
    const afterPage = victim.jar.get('__Host-login')
    victim.jar.set('__Host-login', cookie)
    await victim.get('/auth/authorize?provider=workos')

    expect([afterPage, victim.jar.get('__Host-login')]).not.toContain(cookie)
    expect((await victim.post('/auth/login/code', { token: tokenIn(planted), email: 'fixed@code.example' })).status).toBe(403)
  })
})
