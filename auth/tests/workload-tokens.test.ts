import { createHmac } from 'node:crypto'
import { exportJWK, exportSPKI, generateKeyPair, importJWK, SignJWT } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { claimsOf, startGitHubIssuer, type GitHubIssuer } from './github-issuer.ts'
import { startAuth, type AuthInProcess, type BoundAuth } from './in-process.ts'
import { organisation } from './people.ts'

const AUDIENCE = 'https://platform.test'
const DEPLOY = 'deployments:create@shop/production/acme'

let auth: AuthInProcess
let github: GitHubIssuer
let nobody: BoundAuth
let acme: Awaited<ReturnType<typeof organisation>>

beforeAll(async () => {
  auth = await startAuth()
  github = await startGitHubIssuer()
  Object.assign(auth.env, { GITHUB_OIDC_ISSUER: github.url })
  nobody = auth.as('nobody', [])
})
beforeEach(async () => {
  await auth.db.database.reset()
  acme = await organisation(auth)
})
afterAll(async () => {
  github.close()
  await auth.db.close()
})

const trust = (more: object = {}) => acme.admin.createTrust({ repository: 'acme/shop', branch: 'main', permissions: [DEPLOY], ...more })
const job = (claims: Record<string, unknown> = {}) => github.token({ aud: AUDIENCE, ...claims })

describe('a token is refused', () => {
  const seconds = (from: number) => Math.floor(Date.now() / 1000) + from

  it.each([
    ['that has expired', { iat: seconds(-900), exp: seconds(-600) }],
    ['that does not hold yet', { nbf: seconds(600) }],
    ['that says it is made in an hour, to live on', { iat: seconds(0), exp: seconds(86_400) }],
    ['for another audience', { aud: 'https://github.com/acme' }],
    ['for this platform under another name', { aud: `${AUDIENCE}/` }],
    ['of another issuer', { iss: 'https://token.actions.githubusercontent.com.evil.example' }],
    ['without an id of its own', { jti: null }],
    ['without an end', { exp: null }],
    ['without the repository’s id', { repository_id: null }],
    ['with a repository that is none', { repository: 'acme/shop/../blog' }],
    ['with an id that is a number', { repository_id: 101 }],
  ])('%s', async (_name, claims) => {
    await trust()

    await expect(nobody.exchangeToken({ token: await job(claims) })).rejects.toMatchObject({ code: 'UNAUTHENTICATED', details: [{ path: 'token' }] })
  })

  it('that somebody else signed, under the issuer’s key id, under none, or with the key in its header', async () => {
    await trust()
    const { privateKey, publicKey } = await generateKeyPair('RS256')
    const jwk = await exportJWK(publicKey)
    const sign = (header: object) => new SignJWT(claimsOf(github.url, { aud: AUDIENCE })).setProtectedHeader({ alg: 'RS256', ...header }).sign(privateKey)

    for (const header of [{ kid: 'one' }, {}, { kid: 'one', jwk }, { kid: 'one', jku: `${github.url}/elsewhere` }])
      await expect(nobody.exchangeToken({ token: await sign(header) })).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  })

  it('that is signed by no algorithm, or by HMAC under the issuer’s public key', async () => {
    await trust()
    const { keys } = (await (await fetch(`${github.url}/.well-known/jwks`)).json()) as { keys: [Parameters<typeof importJWK>[0]] }
    const pem = await exportSPKI((await importJWK(keys[0], 'RS256', { extractable: true })) as CryptoKey)
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const payload = encode(claimsOf(github.url, { aud: AUDIENCE }))
    const hs256 = `${encode({ alg: 'HS256', kid: 'one' })}.${payload}`
    const forged = [
      `${encode({ alg: 'none', kid: 'one' })}.${payload}.`,
      ...[pem, JSON.stringify(keys[0])].map((secret) => `${hs256}.${createHmac('sha256', secret).update(hs256).digest('base64url')}`),
    ]

    for (const token of forged) await expect(nobody.exchangeToken({ token })).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  })

  it.each(['', 'x', 'a.b.c', 'sk_test_x'])('that is none: "%s"', async (token) => {
    await expect(nobody.exchangeToken({ token })).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  })

  it('with a key id that is not published, and the keys are read again for it at most every ten seconds', async () => {
    await trust()
    await nobody.exchangeToken({ token: await job() })
    const before = github.asked.length

    for (let guess = 0; guess < 5; guess++) {
      const token = await github.token({ aud: AUDIENCE }, { kid: `guess-${guess}` })
      await expect(nobody.exchangeToken({ token })).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
    }

    expect(github.asked.length - before).toBeLessThanOrEqual(2)
  })

  it('while the issuer does not answer as one', async () => {
    await trust()
    Object.assign(auth.env, { GITHUB_OIDC_ISSUER: `${github.url}/nowhere` })
    const token = await job({ iss: `${github.url}/nowhere` })

    const refusal = nobody.exchangeToken({ token })

    await expect(refusal).rejects.toMatchObject({ code: 'UPSTREAM' })
    Object.assign(auth.env, { GITHUB_OIDC_ISSUER: github.url })
  })
})
