import { testCall } from '@dot-do/worker-kernel/testing'
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { owned } from '../../db/tests/in-process.ts'
import { scheduled } from '../src/scheduled.ts'
import { signAccessToken, type AccessClaims } from '../src/sessions/access-tokens.ts'
import { startAuth, type AuthInProcess, type BoundAuth } from './in-process.ts'

let auth: AuthInProcess
let admin: BoundAuth

beforeAll(async () => {
  auth = await startAuth()
  admin = auth.as('operator', ['*'])
})
beforeEach(() => auth.db.database.reset())
afterAll(() => auth.db.close())

const DAY_MS = 86_400_000
const CLAIMS: AccessClaims = { sub: 'user_1', kind: 'user', tenant: 'acme', permissions: ['things:read'], sid: 'sess_1' }

const sign = (env = auth.env, claims = CLAIMS) => signAccessToken(claims, 3600, testCall({ env }))

/** Verifies as anybody would who has what auth publishes. */
async function verify(token: string) {
  const { issuer, audience, keys } = await admin.tokenVerification({})
  return jwtVerify(token, createLocalJWKSet({ keys }), { issuer, audience, typ: 'at+jwt', algorithms: ['EdDSA'] })
}

const states = async () => (await admin.listSigningKeys({})).keys.map(({ state }) => state).sort()
const kidOf = async (state: string) => (await admin.listSigningKeys({})).keys.find((key) => key.state === state)?.kid

/** Does the daily work as if it were so many days later. */
const daysLater = (days: number) => scheduled({ scheduledTime: Date.now() + days * DAY_MS }, auth.env, { waitUntil: (promise) => void promise })

describe('an access token', () => {
  it('says who asks, for how long, and is verified by what auth publishes', async () => {
    const issuedAt = new Date()
    const token = await sign(auth.env, { ...CLAIMS, issuedAt })

    const { payload, protectedHeader } = await verify(token)

    expect(protectedHeader).toEqual({ alg: 'EdDSA', typ: 'at+jwt', kid: await kidOf('current') })
    const seconds = Math.floor(issuedAt.getTime() / 1000)
    expect(payload).toMatchObject({ ...CLAIMS, iss: 'https://platform.test', aud: 'https://platform.test', nbf: seconds, exp: seconds + 3600 })
    expect(payload.jti).toMatch(/^jti_/)
    expect(Math.round((payload.iat ?? 0) * 1000)).toBe(issuedAt.getTime())
  })

  it('has an id of its own', async () => {
    expect(decodeJwt(await sign()).jti).not.toBe(decodeJwt(await sign()).jti)
  })

  it.each(['JWT_SIGNING_KEY', 'PLATFORM_URL'] as const)('is not issued without %s', async (name) => {
    await expect(sign({ ...auth.env, [name]: '' })).rejects.toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining(name) as string })
  })

  it('is not issued where it would be too long for a header', async () => {
    const permissions = Array.from({ length: 60 }, (_, index) => `deployments:create@${'x'.repeat(150)}${index}`)

    await expect(sign(auth.env, { ...CLAIMS, permissions })).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })
})

describe('signing keys', () => {
  it('are made once, however many ask first at the same moment', async () => {
    const tokens = await Promise.all(Array.from({ length: 8 }, () => sign()))
    const verified = await Promise.all(tokens.map(verify))

    expect(new Set(verified.map(({ protectedHeader }) => protectedHeader.kid)).size).toBe(1)
    expect(await owned(auth.db.database, 'select state, count(*) from auth.signing_keys group by state order by state')).toEqual([
      ['current', '1'],
      ['next', '1'],
    ])
  })

  it('are published by whoever asks first, so that no token comes before its key', async () => {
    const { keys } = await admin.tokenVerification({})

    expect(keys.map(({ kid }) => kid)).toContain(decodeProtectedHeader(await sign()).kid)
  })

  it('show nothing of the private key, neither to those who verify nor in the table', async () => {
    const { keys } = await admin.tokenVerification({})
    await admin.rotateSigningKey({})

    const stored = await owned(auth.db.database, 'select x, sealed from auth.signing_keys')
    const answers = JSON.stringify([await admin.listSigningKeys({}), await admin.listAudit({})])

    for (const key of keys) expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x'])
    for (const [x, sealed] of stored) {
      expect(answers).not.toContain(sealed)
      await expect(
        crypto.subtle.importKey('jwk', { kty: 'OKP', crv: 'Ed25519', x: String(x), d: String(sealed) }, 'Ed25519', false, ['sign']),
      ).rejects.toMatchObject({ name: 'DataError' })
    }
    expect(stored).toHaveLength(3)
  })

  it('do not sign under another secret than they were made under, until two rotations have replaced them', async () => {
    await sign()
    const env = { ...auth.env, JWT_SIGNING_KEY: 'another signing secret, as long as that' }
    await auth.db.database.engine.script(`update auth.signing_keys set sealed = 'AA' || substr(sealed, 3)`)

    await expect(sign(env)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await admin.rotateSigningKey({})
    await expect(sign(env)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await admin.rotateSigningKey({})
    await expect(sign().then(verify)).resolves.toMatchObject({ payload: { sub: 'user_1' } })
  })
})

describe('a rotation', () => {
  it('lets the key sign that was published before, and what was signed before stays good', async () => {
    const before = await sign()
    const next = await kidOf('next')

    const { kid } = await admin.rotateSigningKey({})
    const after = await sign()

    expect(kid).toBe(next)
    expect(decodeProtectedHeader(after).kid).toBe(kid)
    expect(decodeProtectedHeader(before).kid).not.toBe(kid)
    await expect(Promise.all([verify(before), verify(after)])).resolves.toHaveLength(2)
    expect(await states()).toEqual(['current', 'next', 'retired'])
  })

  it('happens once for one key, and is told in the audit log', async () => {
    const first = await admin.rotateSigningKey({}, { idempotencyKey: 'once' })
    const again = await admin.rotateSigningKey({}, { idempotencyKey: 'once' })

    expect(again).toEqual(first)
    expect((await admin.listAudit({})).items).toMatchObject([{ action: 'auth.rotateSigningKey', subject: first.kid, actor: 'operator' }])
    expect(await admin.verifyAudit({})).toEqual({ valid: true, entries: 1 })
  })

  it('by several at once leaves one current key and one next', async () => {
    await sign()

    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => admin.rotateSigningKey({})))

    for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'CONFLICT' })
    const done = outcomes.filter(({ status }) => status === 'fulfilled').length
    expect(done).toBeGreaterThan(0)
    expect(await states()).toEqual(['current', 'next', ...Array.from({ length: done }, () => 'retired')])
  })
})

describe('the daily work', () => {
  it('rotates a key that has signed for thirty days, and no younger one', async () => {
    const token = await sign()

    await daysLater(29)
    const young = await states()
    await daysLater(30)

    expect(young).toEqual(['current', 'next'])
    expect(await states()).toEqual(['current', 'next', 'retired'])
    expect(decodeProtectedHeader(await sign()).kid).not.toBe(decodeProtectedHeader(token).kid)
    expect((await admin.listAudit({})).items).toMatchObject([{ action: 'auth.rotateSigningKey', actor: 'auth' }])
  })

  it('makes the first keys where nobody signed in yet', async () => {
    await daysLater(0)

    expect(await states()).toEqual(['current', 'next'])
  })

  it('throws nothing while the database cannot be reached', async () => {
    await expect(auth.db.duringOutage(() => daysLater(1))).resolves.toBeUndefined()
  })
})
