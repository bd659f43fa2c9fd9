import { decodeJwt } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { owned } from '../../db/tests/in-process.ts'
import { fitsGlob } from '../src/workloads/rules.ts'
import { startGitHubIssuer, type GitHubIssuer } from './github-issuer.ts'
import { startAuth, type AuthInProcess, type BoundAuth } from './in-process.ts'
import { audited, organisation, refused } from './people.ts'

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

describe('a job that a rule is about', () => {
  it('gets a credential of fifteen minutes with what the rule gives, and the audit log tells of it', async () => {
    const { id } = await trust()

    const { accessToken, ...answer } = await nobody.exchangeToken({ token: await job() })

    const { sub, kind, tenant, permissions, iat = 0, exp } = decodeJwt(accessToken)
    expect(answer).toEqual({ expiresIn: 900, permissions: [DEPLOY], tenant: 'acme' })
    expect({ sub, kind, tenant, permissions }).toEqual({ sub: id, kind: 'workload', tenant: 'acme', permissions: [DEPLOY] })
    expect(exp).toBe(Math.floor(iat) + 900)
    expect(await audited(auth)).toEqual(['auth.createOrganisation', 'auth.createTrust', 'auth.exchangeToken'])
    expect((await acme.admin.listTrusts({})).items).toMatchObject([{ id, lastUsedAt: expect.any(String) as unknown }])
  })

  it('gets what all rules about it give together, or less if it asks for less', async () => {
    await trust()
    await trust({ branch: undefined, permissions: ['things:read'] })
    await trust({ branch: 'release/*', permissions: ['events:read'] })

    const all = await nobody.exchangeToken({ token: await job() })
    const less = await nobody.exchangeToken({ token: await job(), permissions: ['things:*'] })

    expect(all.permissions.toSorted()).toEqual([DEPLOY, 'things:read'])
    expect(less.permissions).toEqual(['things:read'])
    await expect(nobody.exchangeToken({ token: await job(), permissions: ['keys:write'] })).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })

  it('is told to say whose credential it wants, where several organisations trust it', async () => {
    const other = await organisation(auth, 'Other')
    await trust()
    await other.admin.createTrust({ repository: 'acme/*', permissions: ['deployments:create@*/*/other'] })

    await expect(nobody.exchangeToken({ token: await job() })).rejects.toMatchObject({ code: 'INVALID', details: [{ path: 'permissions' }] })
    expect(await nobody.exchangeToken({ token: await job(), permissions: [DEPLOY] })).toMatchObject({ tenant: 'acme', permissions: [DEPLOY] })
    expect(await nobody.exchangeToken({ token: await job(), permissions: ['deployments:create@shop/*/other'] })).toMatchObject({ tenant: 'other' })
  })

  it.each([
    ['all of an owner’s', { repository: 'acme/*' }, {}],
    ['a name in other letters', { repository: 'Acme/Shop' }, {}],
    ['a branch by a pattern', { branch: 'release/*' }, { ref: 'refs/heads/release/1' }],
    ['a tag', { branch: 'tags/v*' }, { ref: 'refs/tags/v1.2', ref_type: 'tag' }],
    ['an environment', { environment: 'production' }, { environment: 'production' }],
    ['any branch', { branch: undefined }, { ref: 'refs/pull/3/merge', event_name: 'pull_request' }],
  ])('is recognised by %s', async (_name, rule, claims) => {
    await trust(rule)

    expect(await nobody.exchangeToken({ token: await job(claims) })).toMatchObject({ permissions: [DEPLOY] })
  })
})

describe('a job is refused', () => {
  it.each([
    ['of another repository', {}, { repository: 'acme/blog', repository_id: '102' }],
    ['of a repository whose name only begins like it', {}, { repository: 'acme/shop2' }],
    ['of an owner whose name only begins like it', { repository: 'acme/*' }, { repository: 'acme-2/shop' }],
    ['on another branch', {}, { ref: 'refs/heads/feature' }],
    ['on a branch below it', {}, { ref: 'refs/heads/main/x' }],
    ['on a branch that is called like a tag', { branch: 'tags/v1' }, { ref: 'refs/heads/v1' }],
    ['on a tag that is called like the branch', {}, { ref: 'refs/tags/main', ref_type: 'tag' }],
    ['for a pull request', {}, { ref: 'refs/pull/3/merge', event_name: 'pull_request' }],
    ['for a pull request from a fork, which says the base branch', {}, { event_name: 'pull_request_target' }],
    ['in another environment', { environment: 'production' }, { environment: 'staging' }],
    ['in no environment', { environment: 'production' }, {}],
  ])('%s', async (_name, rule, claims) => {
    await trust(rule)

    await expect(nobody.exchangeToken({ token: await job(claims) })).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })

  it('when a repository of another id has taken the name', async () => {
    await trust()
    await nobody.exchangeToken({ token: await job() })

    await expect(nobody.exchangeToken({ token: await job({ repository_id: '999' }) })).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })

  it('when another owner has taken the name, where all of an owner’s are trusted', async () => {
    await trust({ repository: 'acme/*' })
    await nobody.exchangeToken({ token: await job() })

    await expect(nobody.exchangeToken({ token: await job({ repository_owner_id: '99' }) })).rejects.toMatchObject({ code: 'FORBIDDEN' })
    expect(await nobody.exchangeToken({ token: await job({ repository: 'acme/blog', repository_id: '102' }) })).toMatchObject({ tenant: 'acme' })
  })

  it('once its rule is gone, and credentials that are out are refused with those of rules that went along', async () => {
    const first = await trust()
    const second = await trust({ repository: 'acme/*' })
    await trust({ repository: 'globex/shop' })

    await acme.admin.deleteTrust({ id: first.id })

    expect(await refused(auth)).toEqual([first.id, second.id].toSorted())
    await acme.admin.deleteTrust({ id: second.id })
    await expect(nobody.exchangeToken({ token: await job() })).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })

  it('when it shows a token again, even if it does so twice at once', async () => {
    await trust()
    const token = await job()

    const outcomes = await Promise.allSettled([nobody.exchangeToken({ token }), nobody.exchangeToken({ token })])
    const later = nobody.exchangeToken({ token })

    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    await expect(later).rejects.toMatchObject({ code: 'CONFLICT', details: [{ path: 'token' }] })
  })
})

describe('rules', () => {
  it('are listed, newest first, and deleted by their own organisation only', async () => {
    const other = await organisation(auth, 'Other')
    const [first, second] = [await trust(), await trust({ branch: 'tags/*' })]

    expect((await acme.admin.listTrusts({})).items.map(({ id }) => id)).toEqual([second.id, first.id])
    expect((await other.admin.listTrusts({})).items).toEqual([])
    await expect(other.admin.deleteTrust({ id: first.id })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(other.admin.createTrust({ repository: 'acme/shop', tenant: 'acme', permissions: ['things:read'] })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
  })

  it.each([{ repository: '*/*' }, { repository: 'acme' }, { repository: 'acme/shop*' }, { branch: 'release/**' }, { permissions: [] }])(
    'are refused where they say too much or nothing: %j',
    async (rule) => {
      await expect(trust(rule)).rejects.toMatchObject({ code: 'INVALID' })
    },
  )

  it('keep of a token only that it was used, until it has expired', async () => {
    await trust()
    await nobody.exchangeToken({ token: await job() })
    await auth.db.database.engine.script(`update auth.spent_tokens set expires_at = now() - interval '6 minutes'`)

    await nobody.exchangeToken({ token: await job() })

    expect(await owned(auth.db.database, 'select count(*) from auth.spent_tokens')).toEqual([['1']])
  })
})

describe('a pattern', () => {
  it.each([
    ['main', 'main', true],
    ['main', 'Main', false],
    ['release/*', 'release/1.0', true],
    ['release/*', 'release/1/0', false],
    ['release/*', 'release', false],
    ['*', 'main', true],
    ['*', 'a/b', false],
    ['v*.*', 'v1.2', true],
    ['v*.*', 'v12', false],
    ['a*a', 'a', false],
    ['a.b', 'axb', false],
    ['[a-z]', 'b', false],
    ['*-*-x', '1-2-x', true],
  ])('%s and the name %s: %s', (pattern, name, expected) => {
    expect(fitsGlob(pattern, name)).toBe(expected)
  })

  it('of many stars does not try for ever', () => {
    expect(fitsGlob(`${'a*'.repeat(120)}b`, 'a'.repeat(250))).toBe(false)
  })
})
