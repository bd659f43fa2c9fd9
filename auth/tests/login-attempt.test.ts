import { describe, expect, it } from 'vitest'
import type { Env } from '../src/env.ts'
import { attemptCookie, challengeOf, newForm, newProviderAttempt, readForm, readProviderAttempt } from '../src/login/attempt.ts'
import { readCookie, sessionCookies } from '../src/login/cookies.ts'

const env = { JWT_SIGNING_KEY: 'a secret of tests, long enough for it' } as Env
const now = new Date('2026-11-21T12:00:00Z')
const later = (seconds: number): { env: Env; now: Date } => ({ env, now: new Date(now.getTime() + seconds * 1000) })

const sent = (...cookies: string[]): Headers => new Headers({ Cookie: cookies.map((cookie) => cookie.split(';')[0]).join('; ') })
const begun = () => newProviderAttempt({ provider: 'workos', returnTo: '/docs', organisation: 'acme' })

describe('a sign-in under way', () => {
  it('comes back from its cookie as it was, to whoever brings its state', async () => {
    const attempt = begun()
    const headers = sent(await attemptCookie(attempt, env, now))

    expect(await readProviderAttempt(headers, attempt.state, later(0))).toEqual(attempt)
  })

  it('shows nothing of itself in the cookie, and is kept to this host, to https and from scripts', async () => {
    const attempt = begun()
    const cookie = await attemptCookie(attempt, env, now)

    for (const secret of [attempt.state, attempt.nonce, attempt.verifier, 'workos', '/docs']) expect(cookie).not.toContain(secret)
    expect(cookie).toMatch(/^__Host-login=[\w-]+; Path=\/; HttpOnly; Secure; SameSite=Lax; Max-Age=600$/)
  })

  it('is nothing after ten minutes', async () => {
    const attempt = begun()
    const headers = sent(await attemptCookie(attempt, env, now))

    expect(await readProviderAttempt(headers, attempt.state, later(599))).toBeDefined()
    expect(await readProviderAttempt(headers, attempt.state, later(600))).toBeUndefined()
  })

  it.each([
    ['of another sign-in', () => begun().state],
    ['that is empty', () => ''],
    ['that is the beginning of it', (state: string) => state.slice(0, -1)],
    ['that is longer', (state: string) => `${state}A`],
  ])('is nothing to a state %s', async (_what, stateOf) => {
    const attempt = begun()
    const headers = sent(await attemptCookie(attempt, env, now))

    expect(await readProviderAttempt(headers, stateOf(attempt.state), later(0))).toBeUndefined()
  })

  it('is nothing when a byte of the cookie is changed, wherever', async () => {
    const attempt = begun()
    const cookie = await attemptCookie(attempt, env, now)
    const value = readCookie(sent(cookie), '__Host-login') ?? ''
    const changed = [0, 5, 16, 40, value.length - 4].map((at) => value.slice(0, at) + (value[at] === 'A' ? 'B' : 'A') + value.slice(at + 1))

    for (const each of changed) expect(await readProviderAttempt(sent(`__Host-login=${each}`), attempt.state, later(0))).toBeUndefined()
  })

  it('is nothing under another key, and to a browser without its cookie', async () => {
    const attempt = begun()
    const headers = sent(await attemptCookie(attempt, { ...env, JWT_SIGNING_KEY: 'another secret of tests, also long enough' }, now))

    expect(await readProviderAttempt(headers, attempt.state, later(0))).toBeUndefined()
    expect(await readProviderAttempt(new Headers(), attempt.state, later(0))).toBeUndefined()
  })

  it('is nothing where the cookie is there twice, for one of the two was planted', async () => {
    const [own, planted] = [begun(), begun()]
    const headers = sent(await attemptCookie(own, env, now), await attemptCookie(planted, env, now))

    expect(await readProviderAttempt(headers, own.state, later(0))).toBeUndefined()
    expect(await readProviderAttempt(headers, planted.state, later(0))).toBeUndefined()
  })

  it('of a form is no way to a provider, and the other way round', async () => {
    const form = newForm({ returnTo: '/' })
    const attempt = begun()

    expect(await readProviderAttempt(sent(await attemptCookie(form, env, now)), form.token, later(0))).toBeUndefined()
    expect(await readForm(sent(await attemptCookie(attempt, env, now)), attempt.state, later(0))).toBeUndefined()
  })

  it('has a form’s token of its own each time', async () => {
    const [one, other] = [newForm({ returnTo: '/' }), newForm({ returnTo: '/' })]
    const headers = sent(await attemptCookie(one, env, now))

    expect(await readForm(headers, one.token, later(0))).toEqual(one)
    expect(await readForm(headers, other.token, later(0))).toBeUndefined()
  })

  it('cannot be kept without the secret it is sealed under', async () => {
    await expect(attemptCookie(begun(), {} as Env, now)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })

  it('proves itself by the challenge of RFC 7636', async () => {
    expect(await challengeOf('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk')).toBe('E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM')
  })
})

describe('the cookies of a session', () => {
  it('are refused where a browser would drop them without a word', () => {
    const tokens = { accessToken: 'x'.repeat(4_090), expiresIn: 3_600, refreshToken: 'rt_x', session: { expiresAt: '2026-11-21T13:30:00Z' } }

    expect(() => sessionCookies(tokens, now)).toThrow('so many permissions')
  })

  it('end with what they carry, and no script reads them', () => {
    const cookies = sessionCookies({ accessToken: 'a.b.c', expiresIn: 3_600, refreshToken: 'rt_x', session: { expiresAt: '2026-11-21T13:30:00Z' } }, now)

    expect(cookies).toEqual([
      '__Host-session=a.b.c; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=3600',
      '__Host-refresh=rt_x; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=5400',
    ])
  })
})
