import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose'
import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { beginAt, honestProvider, hostileProvider, PLATFORM_URL, type HostileProvider, type MutableToken } from './login-providers.ts'

let hostile: HostileProvider
let honest: Awaited<ReturnType<typeof honestProvider>>

beforeAll(async () => {
  ;[hostile, honest] = await Promise.all([hostileProvider(), honestProvider()])
})
afterAll(() => Promise.all([hostile.stop(), honest.stop()]))

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const nowSeconds = (): number => Math.floor(Date.now() / 1000)
const claimsOf = (idToken: string): Record<string, unknown> => JSON.parse(Buffer.from(idToken.split('.')[1] ?? '', 'base64url').toString())
const withHeader = (idToken: string, header: Record<string, unknown>): string => [base64url(header), ...idToken.split('.').slice(1)].join('.')

describe('a sign-in by OpenID Connect', () => {
  it('asks with PKCE, state, nonce and the one redirect address, none of them twice the same', async () => {
    const [one, other] = await Promise.all([beginAt(hostile.provider), beginAt(hostile.provider)])

    const parameters = Object.fromEntries(one.asked.searchParams)

    expect(parameters).toMatchObject({
      response_type: 'code',
      code_challenge_method: 'S256',
      redirect_uri: `${PLATFORM_URL}/auth/callback`,
      scope: 'openid email profile',
    })
    for (const name of ['state', 'nonce', 'code_challenge']) {
      expect(parameters[name]).toMatch(/^[\w-]{43}$/)
      expect(other.asked.searchParams.get(name)).not.toBe(parameters[name])
    }
    expect(one.asked.href).not.toContain(one.attempt.verifier)
  })

  it('ends with who the ID token says it is', async () => {
    const { attempt, answer } = await beginAt(hostile.provider)

    const proved = await hostile.provider.finish(attempt, answer)

    expect(proved).toEqual({
      provider: 'acme',
      subject: 'johndoe',
      email: 'ada@acme.example',
      emailVerified: true,
      name: 'Ada Lovelace',
      organisation: undefined,
    })
  })

  it('works with a certified provider, with its consent and its client secret', async () => {
    const { attempt, answer } = await beginAt(honest.provider)

    const proved = await honest.provider.finish(attempt, answer)

    expect(proved).toMatchObject({ subject: 'ada', email: 'ada@acme.example', emailVerified: true, name: 'ada' })
  })

  it('takes an address for proved only where the provider says true', async () => {
    const verdicts: boolean[] = []
    for (const said of [true, false, 'true', 1, undefined]) {
      const { attempt, answer } = await beginAt(hostile.provider)
      hostile.change(({ payload }) => (payload['email_verified'] = said))
      verdicts.push((await hostile.provider.finish(attempt, answer)).emailVerified)
    }

    expect(verdicts).toEqual([true, false, false, false, false])
  })
})

describe('an ID token is refused', () => {
  const changes: [string, (token: MutableToken) => void][] = [
    ['of another issuer, as in a mix-up', ({ payload }) => (payload['iss'] = 'https://evil.example')],
    ['for another audience', ({ payload }) => (payload['aud'] = 'another')],
    ['for several audiences, handed to another', ({ payload }) => Object.assign(payload, { aud: ['the-platform', 'another'], azp: 'another' })],
    ['with another nonce', ({ payload }) => (payload['nonce'] = 'a'.repeat(43))],
    ['without a nonce', ({ payload }) => delete payload['nonce']],
    ['that has expired', ({ payload }) => (payload['exp'] = nowSeconds() - 60)],
    ['without an expiry', ({ payload }) => delete payload['exp']],
    ['that is not valid yet', ({ payload }) => (payload['nbf'] = nowSeconds() + 600)],
    ['without a subject', ({ payload }) => delete payload['sub']],
  ]

  it.each(changes)('%s', async (_what, change) => {
    const { attempt, answer } = await beginAt(hostile.provider)
    hostile.change(change)

    await expect(hostile.provider.finish(attempt, answer)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  })

  it.each([['none'], ['None'], ['NONE'], ['nOnE']])('with the algorithm %s and no signature', async (alg) => {
    const { attempt, answer } = await beginAt(hostile.provider)
    hostile.replace((idToken) => withHeader(new UnsecuredJWT(claimsOf(idToken)).encode(), { alg, typ: 'JWT' }))

    await expect(hostile.provider.finish(attempt, answer)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  })

  it('signed by HMAC with the public key for a secret', async () => {
    const { attempt, answer } = await beginAt(hostile.provider)
    const [publicKey] = hostile.server.issuer.keys.toJSON()
    hostile.replace((idToken) => {
      const unsigned = withHeader(idToken, { alg: 'HS256', kid: 'the-key' }).split('.').slice(0, 2).join('.')
      return `${unsigned}.${createHmac('sha256', JSON.stringify(publicKey)).update(unsigned).digest('base64url')}`
    })

    await expect(hostile.provider.finish(attempt, answer)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  })

  it.each([
    ['under the kid of its own key', () => ({ kid: 'the-key' })],
    ['under a kid nobody published', () => ({ kid: '../../dev/null' })],
    ['with the key in its header', (jwk: object) => ({ kid: 'the-key', jwk })],
    ['with an address of keys in its header', () => ({ kid: 'the-key', jku: 'https://evil.example/jwks' })],
  ])('signed by a foreign key, %s', async (_what, headerOf) => {
    const { attempt, answer } = await beginAt(hostile.provider)
    const foreign = await generateKeyPair('RS256', { extractable: true })
    const header = headerOf(await exportJWK(foreign.publicKey))
    const { nonce } = attempt
    const claims = { nonce, email: 'ada@acme.example', email_verified: true }
    const forged = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'RS256', ...header })
      .setIssuer(hostile.issuer)
      .setAudience('the-platform')
      .setSubject('victim')
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(foreign.privateKey)
    hostile.replace(() => forged)

    await expect(hostile.provider.finish(attempt, answer)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  })

  it('whose words were changed after it was signed', async () => {
    const { attempt, answer } = await beginAt(hostile.provider)
    hostile.replace((idToken) => {
      const [header, , signature] = idToken.split('.')
      return [header, base64url({ ...claimsOf(idToken), sub: 'victim' }), signature].join('.')
    })

    await expect(hostile.provider.finish(attempt, answer)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  })

  it('that is missing', async () => {
    const { attempt, answer } = await beginAt(hostile.provider)
    hostile.server.service.once('beforeResponse', ({ body }: { body: Record<string, unknown> }) => delete body['id_token'])

    await expect(hostile.provider.finish(attempt, answer)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  })
})
