import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { PUBLISHED, startAction, type ActionUnderTest, type Answer } from './action-under-test.ts'

let action: ActionUnderTest

beforeEach(async () => {
  action = await startAction()
})

afterEach(() => action.close())

describe('the action without a key', () => {
  const github = () => ({ ACTIONS_ID_TOKEN_REQUEST_URL: `${action.url}/runner?api-version=2`, ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'the-runners-own' })
  const keyless = (inputs: Record<string, string> = {}) =>
    action.run({ 'api-key': '', 'auth-url': `${action.url}/auth`, file: 'dist/index.js', ...inputs }, github())

  it('asks for the job’s token, exchanges it for what this deployment takes, and publishes with that', async () => {
    action.answers = [
      [200, { value: 'the.job.token' }],
      [200, { access_token: 'the.workload.credential', token_type: 'Bearer', expires_in: 900 }],
      [201, { success: true, data: PUBLISHED }],
    ]

    const { code, stdout } = await keyless({ audience: 'https://platform.example', environment: 'staging', tenant: 'acme' })

    expect(code).toBe(0)
    expect(action.requests.map(({ method, url: path, headers }) => [method, path, headers.authorization])).toEqual([
      ['GET', '/runner?api-version=2&audience=https%3A%2F%2Fplatform.example', 'Bearer the-runners-own'],
      ['POST', '/auth/token', undefined],
      ['POST', '/deploy', 'Bearer the.workload.credential'],
    ])
    expect(action.requests[1]?.body).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: 'the.job.token',
      subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
      scope: 'deployments:create@hello/staging/acme',
    })
    const said = stdout.split('\n').filter((line) => !line.startsWith('::add-mask::'))
    expect(stdout).toContain('::add-mask::the.job.token\n')
    expect(stdout).toContain('::add-mask::the.workload.credential\n')
    expect(said.join('\n')).not.toMatch(/the\.(job|workload)/)
  })

  it.each([
    ['the runner', [[403, { message: 'no' }]], 'the runner gave no token of the job'],
    [
      'the platform',
      [
        [200, { value: 'a.b.c' }],
        [400, { error: 'invalid_request', error_description: 'No rule trusts acme/shop on main' }],
      ],
      'No rule trusts acme/shop on main',
    ],
    [
      'something else',
      [
        [200, { value: 'a.b.c' }],
        [200, '<html>'],
      ],
      'and not as the platform does',
    ],
  ] as [string, Answer[], string][])('fails with what %s says, and publishes nothing', async (_who, given, message) => {
    action.answers = given

    const { code, stdout } = await keyless()

    expect(code).toBe(1)
    expect(stdout).toContain(message)
    expect(action.requests.every(({ url: path }) => path !== '/deploy')).toBe(true)
  })

  it('asks again when the platform is busy', async () => {
    action.answers = [
      [200, { value: 'the.job.token' }],
      [429, { success: false, error: { code: 'RATE_LIMITED', message: 'Slower' } }, { 'retry-after': '1' }],
      [200, { access_token: 'the.workload.credential' }],
      [201, { success: true, data: PUBLISHED }],
    ]

    const { code, stdout } = await keyless()

    expect(code).toBe(0)
    expect(stdout).toContain('Slower; asking again')
  })

  it('sends the job’s token to nobody over http', async () => {
    action.answers = [[200, { value: 'a.b.c' }]]

    const { code, stdout } = await keyless({ 'auth-url': 'http://gateway.do/auth' })

    expect(code).toBe(1)
    expect(stdout).toContain('auth-url is http://gateway.do/auth: secrets are only sent over https')
  })
})
