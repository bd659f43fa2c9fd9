import { OAuth2Server } from 'oauth2-mock-server'
import { OIDC_CLIENT, startOidcServer } from '../../tests/oidc-server.ts'
import { newProviderAttempt, type ProviderAttempt } from '../src/login/attempt.ts'
import { oidcProvider } from '../src/login/providers/oidc.ts'
import type { Provider } from '../src/login/providers/provider.ts'
import { readOidcSettings } from '../src/login/providers/settings.ts'

/** Where the platform under test would be. */
export const PLATFORM_URL = 'http://localhost:8787'

/** The platform's id at both providers. */
export const CLIENT_ID = OIDC_CLIENT.clientId

/** An id token as its issuer is about to sign it. */
export interface MutableToken {
  header: Record<string, unknown>
  payload: Record<string, unknown>
}

/** A provider that says whatever a test wants it to. */
export interface HostileProvider {
  provider: Provider
  server: OAuth2Server
  issuer: string
  /** Changes the ID token of the next answer before it is signed. */
  change(change: (token: MutableToken) => void): void
  /** Puts another ID token into the next answer. */
  replace(make: (idToken: string) => string): void
  stop(): Promise<void>
}

/** Starts one. `metadata` is put over what it publishes of itself. */
export async function hostileProvider(metadata: (issuer: string) => Record<string, unknown> = () => ({})): Promise<HostileProvider> {
  const server = new OAuth2Server()
  await server.issuer.keys.generate('RS256', { kid: 'the-key' })
  await server.start(0, '127.0.0.1')
  const issuer = `http://127.0.0.1:${server.address().port}`
  server.issuer.url = issuer
  server.service.on('beforeWellKnownOpenIdConfiguration', (answer: { body: object }) => Object.assign(answer.body, metadata(issuer)))
  const person = { email: 'ada@acme.example', email_verified: true, name: 'Ada Lovelace' }
  server.service.on('beforeTokenSigning', ({ payload }: MutableToken) => Object.assign(payload, person))
  return {
    provider: configured(issuer),
    server,
    issuer,
    change(change) {
      // The access token is signed first, the ID token second.
      server.service.once('beforeTokenSigning', () => server.service.once('beforeTokenSigning', (token: MutableToken) => change(token)))
    },
    replace(make) {
      server.service.once('beforeResponse', (answer: { body: Record<string, unknown> }) => (answer.body['id_token'] = make(String(answer.body['id_token']))))
    },
    stop: () => server.stop(),
  }
}

/** A certified provider, which keeps addresses for its userinfo, as OpenID Connect Core section 5.4 has it. */
export async function honestProvider(): Promise<{ issuer: string; provider: Provider; stop(): Promise<void> }> {
  const { issuer, serve, stop } = await startOidcServer()
  serve(PLATFORM_URL)
  return { issuer, provider: configured(issuer, OIDC_CLIENT.clientSecret), stop }
}

/** The provider as OIDC_PROVIDERS would configure it. */
export function configured(issuer: string, clientSecret?: string): Provider {
  const entry = { name: 'acme', label: 'Acme', issuer, clientId: CLIENT_ID, ...(clientSecret === undefined ? {} : { clientSecret }) }
  const [settings] = readOidcSettings(JSON.stringify([entry])).providers
  if (!settings) throw new Error('The settings of the test are wrong')
  return oidcProvider(settings, PLATFORM_URL)
}

/** Begins to sign in and lets the provider answer: the attempt, and where the browser is sent back to. */
export async function beginAt(provider: Provider): Promise<{ attempt: ProviderAttempt; answer: URL; asked: URL }> {
  const attempt = newProviderAttempt({ provider: provider.name, returnTo: '/' })
  const asked = new URL(await provider.begin(attempt, {}))
  return { attempt, asked, answer: await answerTo(asked) }
}

/** Follows a browser through a provider's pages until it is sent back to the platform. */
export async function answerTo(asked: URL, login = 'ada'): Promise<URL> {
  const jar = new Map<string, string>()
  let next = asked
  let form: URLSearchParams | undefined
  for (let steps = 0; steps < 12; steps++) {
    if (next.origin === PLATFORM_URL) return next
    const headers = { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') }
    const page = await fetch(next, { redirect: 'manual', headers, ...(form ? { method: 'POST', body: form } : {}) })
    for (const cookie of page.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
      jar.set(name, value)
    }
    const text = await page.text()
    const location = page.headers.get('location')
    form =
      location === null ? new URLSearchParams(text.includes('name="login"') ? { prompt: 'login', login, password: 'any' } : { prompt: 'consent' }) : undefined
    next = new URL(location ?? /action="([^"]+)"/.exec(text)?.[1] ?? '', next)
  }
  throw new Error('The provider never sent the browser back')
}
