import { describe, expect, it } from 'vitest'
import type { Env } from '../src/env.ts'
import { providersHealth, providersOf } from '../src/login/providers/configured.ts'
import { readOidcSettings } from '../src/login/providers/settings.ts'

const acme = { name: 'acme', label: 'Acme', issuer: 'https://id.acme.example', clientId: 'platform', clientSecret: 'a very secret secret' }
const workos = { WORKOS_API_KEY: 'sk_test_x', WORKOS_CLIENT_ID: 'client_x' }
const envOf = (about: Partial<Env>): Env => ({ PLATFORM_URL: 'https://gateway.do', ...about }) as Env

describe('the providers', () => {
  it('are WorkOS first, where it is configured, then those of OIDC_PROVIDERS in their order', () => {
    const table = JSON.stringify([acme, { ...acme, name: 'globex' }])

    expect(providersOf(envOf({ ...workos, OIDC_PROVIDERS: table })).map(({ name }) => name)).toEqual(['workos', 'acme', 'globex'])
    expect(providersOf(envOf({ OIDC_PROVIDERS: table })).map(({ name }) => name)).toEqual(['acme', 'globex'])
    expect(providersOf(envOf({ WORKOS_API_KEY: 'sk_test_x' }))).toEqual([])
  })

  it.each([
    ['what is no JSON', '[', 'OIDC_PROVIDERS is not JSON'],
    ['what is no list', acme, 'OIDC_PROVIDERS'],
    ['an issuer without TLS elsewhere', [{ ...acme, issuer: 'http://id.acme.example' }], 'must begin with https://'],
    ['an issuer that only looks like this machine', [{ ...acme, issuer: 'http://localhost.evil.example' }], 'must begin with https://'],
    ['an issuer that is a script', [{ ...acme, issuer: 'javascript:alert(1)' }], 'issuer'],
    ['a name that stands for WorkOS', [{ ...acme, name: 'workos' }], 'name is taken'],
    ['a name that stands for codes', [{ ...acme, name: 'code' }], 'name is taken'],
    ['a name twice', [acme, acme], 'has a name twice'],
    ['a name with a blank', [{ ...acme, name: 'a b' }], '[0].name'],
    ['a field that is not known', [{ ...acme, secret: 'x' }], 'OIDC_PROVIDERS'],
    ['scopes without openid', [{ ...acme, scopes: 'email' }], 'must contain openid'],
    ['a missing id', [{ ...acme, clientId: undefined }], '[0].clientId'],
  ])('are none with %s, and health says what is wrong without telling a secret', (_what, table, message) => {
    const text = typeof table === 'string' ? table : JSON.stringify(table)

    expect(readOidcSettings(text).providers).toEqual([])
    const { status, message: said } = providersHealth(envOf({ ...workos, OIDC_PROVIDERS: text }))
    expect(status).toBe('degraded')
    expect(said).toContain(message)
    expect(said).not.toContain('a very secret secret')
  })

  it('that are missing are named by health', () => {
    expect(providersHealth(envOf({}))).toMatchObject({ status: 'degraded', message: expect.stringContaining('WORKOS_API_KEY') as string })
    expect(providersHealth(envOf({ WORKOS_API_KEY: 'x' }))).toMatchObject({ status: 'degraded' })
    expect(providersHealth(envOf(workos))).toEqual({ status: 'ok' })
    expect(providersHealth(envOf({ OIDC_PROVIDERS: JSON.stringify([acme]) }))).toEqual({ status: 'ok' })
  })

  it('may be on this machine without TLS', () => {
    for (const issuer of ['http://localhost:4000', 'http://127.0.0.1:4000', 'http://[::1]:4000', 'http://id.localhost']) {
      expect(readOidcSettings(JSON.stringify([{ ...acme, issuer }])).fault).toBeUndefined()
    }
  })
})
