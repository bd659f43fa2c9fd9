import { createHmac } from 'node:crypto'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { AccessTokenVerifier, hasTokenForm, MAX_TOKEN_LENGTH } from '../src/access-token.ts'
import { claimsAt, forged, signer, verificationOf } from './tokens.ts'

const NOW = Date.parse('2026-11-01T12:00:00.250Z')
const alice = { id: 'user_alice', kind: 'user', tenant: 'acme', permissions: ['things:read'], session: 'sess_1' }
const current = await signer('current')
const stranger = await signer('current')

function verifier(): AccessTokenVerifier {
  const made = new AccessTokenVerifier()
  made.update(verificationOf([current.key]))
  return made
}

beforeEach(() => void vi.useFakeTimers({ now: NOW, toFake: ['Date'] }))
afterEach(() => void vi.useRealTimers())

describe('an access token', () => {
  it('says who it was given to, at once when it comes again', async () => {
    const [tokens, token] = [verifier(), await current.sign()]

    expect(tokens.recall(token)).toBeUndefined()
    expect(await tokens.verify(token)).toEqual(alice)
    expect(tokens.recall(token)).toEqual(alice)
  })

  it('of a workload has no session', async () => {
    const { sid: _, ...claims } = claimsAt(NOW)

    expect(await verifier().verify(await current.sign({ ...claims, sub: 'trust_1', kind: 'workload', sid: undefined }))).toEqual({
      id: 'trust_1',
      kind: 'workload',
      tenant: 'acme',
      permissions: ['things:read'],
    })
  })

  it.each([
    ['that has expired', () => current.sign({ exp: NOW / 1000 - 1 }), 'expired'],
    ['that holds from later on', () => current.sign({ nbf: NOW / 1000 + 10 }), 'not valid'],
    ['of another issuer', () => current.sign({ iss: 'https://evil.example' }), 'not valid'],
    ['for another audience', () => current.sign({ aud: 'https://api.example' }), 'not valid'],
    ['without an issuer', () => current.sign({ iss: undefined }), 'not valid'],
    ['without an audience', () => current.sign({ aud: undefined }), 'not valid'],
    ['without an end', () => current.sign({ exp: undefined }), 'not valid'],
    ['without a subject', () => current.sign({ sub: undefined }), 'not valid'],
    ['that says when it was issued nowhere', () => current.sign({ iat: undefined }), 'not valid'],
    ['of a Worker', () => current.sign({ kind: 'service' }), 'not valid'],
    ['of nobody', () => current.sign({ kind: 'anonymous' }), 'not valid'],
    ['whose permissions are no list of texts', () => current.sign({ permissions: [{ toString: '*' }] }), 'not valid'],
    ['whose permissions are a text', () => current.sign({ permissions: '*' }), 'not valid'],
    ['that is another sort of JWT', () => current.sign({}, { typ: 'JWT' }), 'not valid'],
    ['that does not say what it is', () => current.sign({}, { typ: undefined }), 'not valid'],
    ['that names no key', () => current.sign({}, { kid: undefined }), 'not valid'],
    [
      'that asks for an extension',
      () => current.sign({}, { crit: ['exp2'], exp2: 1 }).catch(() => forged({ alg: 'EdDSA', typ: 'at+jwt', kid: 'current', crit: ['x'], x: 1 }, {})),
      'not valid',
    ],
    ['signed by somebody else with a kid of ours', () => stranger.sign(), 'not valid'],
    ['whose payload was changed', async () => tampered(await current.sign(), { permissions: ['*'] }), 'not valid'],
    ['without a signature', () => forged({ alg: 'none', typ: 'at+jwt', kid: 'current' }, claimsAt(NOW), ''), 'not valid'],
    ['that says it needs no signature', () => forged({ alg: 'none', typ: 'at+jwt', kid: 'current' }, claimsAt(NOW)), 'not valid'],
    ['signed with the public key as a shared secret', () => sharedSecret(), 'not valid'],
    ['signed by RSA', () => rsa(), 'not valid'],
    ['that brings its own key', () => ownKey(), 'not valid'],
  ])('%s is refused', async (_, make, reason) => {
    const [tokens, token] = [verifier(), await make()]

    const refusal = await tokens.verify(token).catch((thrown: unknown) => thrown)

    expect(refusal).toMatchObject({ code: 'UNAUTHENTICATED', message: expect.stringContaining(reason), details: [{ path: 'credential' }] })
    expect(() => tokens.recall(token)).toThrow(reason)
  })

  it.each(['unknown', '../../etc/passwd', "current' or '1'='1", 'https://evil.example/jwks.json', '__proto__'])('of the key %j is not known', async (kid) => {
    expect(await verifier().verify(await current.sign({}, { kid }))).toBeUndefined()
  })

  it('is good for as long as it says and no longer, though it is remembered', async () => {
    const [tokens, token] = [verifier(), await current.sign()]
    await tokens.verify(token)

    vi.setSystemTime((Math.floor(NOW / 1000) + 3600) * 1000 - 1)
    expect(tokens.recall(token)).toEqual(alice)

    vi.setSystemTime((Math.floor(NOW / 1000) + 3600) * 1000)
    expect(() => tokens.recall(token) ?? 'forgotten').toThrow('expired')
  })

  it.each(['user_alice', 'sess_1'])('is refused once %s is revoked, though it is remembered; one that was issued later is not', async (subject) => {
    const [tokens, token] = [verifier(), await current.sign()]
    await tokens.verify(token)
    const before = new Date(NOW + 1000).toISOString()

    tokens.update(verificationOf([current.key], [{ subject, before }]))

    expect(() => tokens.recall(token)).toThrow('revoked')
    await expect(verifier().verify(token)).resolves.toEqual(alice)
    vi.setSystemTime(NOW + 2000)
    expect(await tokens.verify(await current.sign())).toEqual(alice)
  })

  it('is refused once its key is no longer published, though it is remembered', async () => {
    const [tokens, token, next] = [verifier(), await current.sign(), await signer('next')]
    await tokens.verify(token)

    tokens.update(verificationOf([next.key]))

    expect(tokens.recall(token)).toBeUndefined()
    expect(await tokens.verify(token)).toBeUndefined()
  })

  it('is remembered while other keys and revocations come', async () => {
    const [tokens, token] = [verifier(), await current.sign()]
    await tokens.verify(token)

    tokens.update(verificationOf([current.key], [{ subject: 'user_bob', before: new Date(NOW).toISOString() }]))

    expect(tokens.recall(token)).toEqual(alice)
  })
})

describe('the form of an access token', () => {
  it('is that of a signed JWT of our sort, and not too long', async () => {
    const token = await current.sign()

    expect(hasTokenForm(token)).toBe(true)
    expect(hasTokenForm(await current.sign({ permissions: ['x'.repeat(MAX_TOKEN_LENGTH)] }))).toBe(false)
    for (const text of ['', 'sk_test_x', 'a.b', 'a.b.c', `${token}.more`, ` ${token}`, `${token}\n`, forged({ alg: 'HS256', typ: 'at+jwt' }, {})])
      expect(hasTokenForm(text)).toBe(false)
  })
})

function tampered(token: string, change: object): string {
  const [header, payload = '', signature] = token.split('.')
  const claims: object = JSON.parse(Buffer.from(payload, 'base64url').toString())
  return [header, Buffer.from(JSON.stringify({ ...claims, ...change })).toString('base64url'), signature].join('.')
}

function sharedSecret(): string {
  const unsigned = forged({ alg: 'HS256', typ: 'at+jwt', kid: 'current' }, claimsAt(NOW)).split('.').slice(0, 2).join('.')
  return `${unsigned}.${createHmac('sha256', Buffer.from(current.key.x, 'base64url')).update(unsigned).digest('base64url')}`
}

async function rsa(): Promise<string> {
  const { privateKey } = await generateKeyPair('RS256')
  return new SignJWT(claimsAt(NOW)).setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid: 'current' }).sign(privateKey)
}

async function ownKey(): Promise<string> {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA', { extractable: true })
  return new SignJWT(claimsAt(NOW)).setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid: 'current', jwk: await exportJWK(publicKey) }).sign(privateKey)
}
