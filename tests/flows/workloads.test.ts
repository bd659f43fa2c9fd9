import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { REQUEST_TOKEN } from '../../auth/tests/github-issuer.ts'
import { admin, ask, rpc, unique, type Answered } from './client.ts'
import { base64, says, visit, workerName } from './publisher.ts'

const platform = inject('platform')
const ACTION = fileURLToPath(new URL('../../.github/actions/deploy/deploy.mjs', import.meta.url))
const GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange'
const ID_TOKEN = 'urn:ietf:params:oauth:token-type:id_token'

let tenant: string
let folder: string

beforeAll(async () => {
  tenant = unique('acme')
  await admin('/auth/organisations', { body: { name: tenant, slug: tenant } })
  folder = await mkdtemp(join(tmpdir(), 'dot-do-action-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** A repository that no other test uses, trusted to publish whatever the organisation may. */
async function trusted(more: Record<string, unknown> = {}): Promise<{ id: string; repository: string }> {
  const repository = `acme/${unique('shop')}`
  const { data, status } = await admin('/auth/trusts', { body: { repository, tenant, permissions: [`deployments:create@*/*/${tenant}`], ...more } })
  expect(status).toBe(201)
  return { id: String(data['id']), repository }
}

/** Where a job asks for its token: what the job is stands in the query. */
function runnerUrl(claims: Record<string, string>): string {
  return `${platform.githubUrl}/token?${new URLSearchParams(claims)}`
}

async function jobToken(claims: Record<string, string>): Promise<string> {
  const answer = await fetch(runnerUrl({ audience: platform.url, ...claims }), { headers: { authorization: `Bearer ${REQUEST_TOKEN}` } })
  return ((await answer.json()) as { value: string }).value
}

/** Asks as a client of RFC 8693 does. */
function exchange(token: string, more: Record<string, string> = {}): Promise<Answered> {
  const body = new URLSearchParams({ grant_type: GRANT, subject_token: token, subject_token_type: ID_TOKEN, ...more }).toString()
  return ask('/auth/token', { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body })
}

const answered = ({ text }: Answered) => JSON.parse(text) as Record<string, unknown>

function deploy(service: string, key: string, more: Record<string, unknown> = {}): Promise<Answered> {
  return ask('/deploy/deploy', { key, body: { service, tenant, environment: 'production', access: 'public', script: base64(says('by a job')), ...more } })
}

describe('a job that is trusted', () => {
  it('publishes with nothing stored, and only what its rule says', async () => {
    const [mine, other] = [workerName(), workerName()]
    const { id, repository } = await trusted({ branch: 'main', permissions: [`deployments:create@${mine}/production/${tenant}`] })

    const granted = await exchange(await jobToken({ repository }))
    const { access_token: credential, ...rest } = answered(granted)
    const published = await deploy(mine, String(credential))
    const refused = await Promise.all([
      deploy(other, String(credential)),
      deploy(mine, String(credential), { environment: 'staging' }),
      deploy(mine, String(credential), { tenant: 'default' }),
      ask('/auth/trusts', { key: String(credential) }),
    ])

    expect(granted).toMatchObject({ status: 200, headers: { 'cache-control': 'no-store' } })
    expect(rest).toEqual({
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      token_type: 'Bearer',
      expires_in: 900,
      scope: `deployments:create@${mine}/production/${tenant}`,
    })
    expect(published).toMatchObject({ status: 201, data: { deployment: { tenant, service: mine } } })
    expect((await visit(`${tenant}.${mine}.tenant.do`)).text).toBe('by a job')
    expect(refused.map(({ status }) => status)).toEqual([403, 403, 403, 403])
    const me = await ask('/auth/can?permission=deployments:create', { key: String(credential) })
    expect(me.data).toMatchObject({ allowed: false, reason: expect.stringContaining(id) as unknown })
  })

  it('publishes by the action, which asks for all it needs itself', async () => {
    const service = workerName()
    const { repository } = await trusted({ branch: 'main' })
    await writeFile(join(folder, 'index.js'), says('by the action'))

    const { code, output, stdout } = await act({ SERVICE: service, TENANT: tenant }, { repository })

    expect(stdout).toContain('version 1 is at')
    expect({ code, version: /^version<<\S+\n1$/m.test(output) }).toEqual({ code: 0, version: true })
    expect((await visit(`${tenant}.${service}.tenant.do`, '/', { key: platform.adminKey })).text).toBe('by the action')
  })

  it('is known over RPC, too, and its token is good for one exchange', async () => {
    const { repository } = await trusted()
    const token = await jobToken({ repository })

    const first = await rpc('AUTH_STRANGER', 'exchangeToken', { token })
    const second = await rpc('AUTH_STRANGER', 'exchangeToken', { token })
    const third = await exchange(token)

    expect(first.value).toMatchObject({ tenant, expiresIn: 900 })
    expect(second.error).toMatchObject({ code: 'CONFLICT' })
    expect({ status: third.status, ...answered(third) }).toEqual({
      status: 400,
      error: 'invalid_request',
      error_description: 'This token was exchanged already',
    })
  })

  it('loses its credential with the rule, everywhere', async () => {
    const { id, repository } = await trusted()
    const credential = String(answered(await exchange(await jobToken({ repository })))['access_token'])
    const can = () => ask('/auth/can?permission=things:read', { key: credential })
    const before = await can()

    await admin(`/auth/trusts/${id}`, { method: 'DELETE' })

    expect(before.status).toBe(200)
    await expect.poll(async () => (await can()).status, { timeout: 30_000, interval: 250 }).toBe(401)
  })
})

describe('a job that is not', () => {
  it.each([
    ['another repository', { repository: 'acme/blog' }],
    ['another branch', { ref: 'refs/heads/feature' }],
    ['a pull request', { ref: 'refs/pull/1/merge', event_name: 'pull_request' }],
    ['another environment', { environment: 'staging' }],
    ['another audience', { audience: 'https://github.com/acme' }],
    ['an issuer of its own', { iss: 'https://evil.example' }],
  ])('gets no credential: %s', async (_what, claims) => {
    const { repository } = await trusted({ branch: 'main', environment: 'production' })

    const refused = await exchange(await jobToken({ repository, environment: 'production', ...claims }))

    expect({ status: refused.status, error: answered(refused)['error'], cache: refused.headers['cache-control'] }).toEqual({
      status: 400,
      error: 'invalid_request',
      cache: 'no-store',
    })
  })

  it.each([
    ['another grant', { grant_type: 'client_credentials' }, 'unsupported_grant_type'],
    ['no token', { subject_token: '' }, 'invalid_request'],
    ['a token of another type', { subject_token_type: 'urn:ietf:params:oauth:token-type:saml2' }, 'invalid_request'],
    ['a token that is none', { subject_token: 'x' }, 'invalid_request'],
    ['a scope that is none', { scope: 'everything!' }, 'invalid_scope'],
    ['a scope that no rule gives', { scope: 'keys:write' }, 'invalid_scope'],
  ])('is told what is wrong: %s', async (_what, fields, error) => {
    const { repository } = await trusted()

    const refused = await exchange(await jobToken({ repository }), fields)

    expect({ status: refused.status, error: answered(refused)['error'] }).toEqual({ status: 400, error })
  })

  it('is refused by the action with a sentence, and nothing is published', async () => {
    const service = workerName()
    const { repository } = await trusted({ branch: 'release/*' })

    const { code, stdout } = await act({ SERVICE: service, TENANT: tenant }, { repository })

    expect(code).toBe(1)
    expect(stdout).toContain(`was not deployed: no credential for this job: ${platform.url} answered 400, No rule trusts ${repository} on main`)
    expect((await visit(`${tenant}.${service}.tenant.do`)).status).toBe(404)
  })
})

/** Runs the action as the runner does, in a job that is this. */
async function act(inputs: Record<string, string>, claims: Record<string, string>): Promise<{ code: number; stdout: string; output: string }> {
  await writeFile(join(folder, 'index.js'), says('by the action'))
  await writeFile(join(folder, 'output'), '')
  const given = { FILE: 'index.js', URL: `${platform.url}/deploy`, AUTH_URL: `${platform.url}/auth`, AUDIENCE: platform.url, ...inputs }
  const env = {
    PATH: dirname(process.execPath),
    GITHUB_OUTPUT: join(folder, 'output'),
    GITHUB_RUN_ID: unique('run'),
    ACTIONS_ID_TOKEN_REQUEST_URL: runnerUrl(claims),
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: REQUEST_TOKEN,
    ...Object.fromEntries(Object.entries(given).map(([name, value]) => [`DEPLOY_${name}`, value])),
  }
  const ran = await new Promise<{ code: number; stdout: string }>((resolve) => {
    execFile(process.execPath, [ACTION], { cwd: folder, env }, (error, printed, errors) =>
      resolve({ code: error ? Number(error.code) : 0, stdout: printed + errors }),
    )
  })
  return { ...ran, output: await readFile(join(folder, 'output'), 'utf8') }
}
