import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { deploy } from '@dot-do/worker-contracts/deploy'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { CODE, KEY, PUBLISHED, startAction, type ActionUnderTest } from './action-under-test.ts'

let action: ActionUnderTest

beforeEach(async () => {
  action = await startAction()
})

afterEach(() => action.close())

const base64 = (text: string): string => Buffer.from(text).toString('base64')

it('publishes a file, and tells where it answers', async () => {
  const { code, output, summary, stdout } = await action.run({ file: 'dist/index.js', environment: 'staging', tenant: 'acme' })

  expect(code).toBe(0)
  expect(action.requests).toHaveLength(1)
  expect(action.requests[0]).toMatchObject({ method: 'POST', url: '/deploy', headers: { authorization: `Bearer ${KEY}` } })
  expect(action.requests[0]?.body).toEqual({ service: 'hello', environment: 'staging', tenant: 'acme', script: base64(CODE), metadata: {} })
  expect(output).toEqual({ url: PUBLISHED.url, previewUrl: PUBLISHED.previewUrl, version: '3', deployment: 'dep_1' })
  expect(summary).toContain('| Worker | acme/hello |')
  expect(summary).toContain('| Preview | https://v3.acme.hello.tenant.do |')
  expect(stdout).toContain('version 3 is at https://v3.acme.hello.tenant.do')
})

it('publishes a folder with its modules, files and settings, as the contract of deploy takes it', async () => {
  const { code, stdout } = await action.run({
    directory: 'dist',
    assets: 'public',
    tier: 'public',
    vars: '{"GREETING":"Hi"}',
    bindings: '[{"type":"kv","name":"PAGES"}]',
    'compatibility-date': '2026-11-01',
    activate: 'false',
  })

  expect(code).toBe(0)
  expect(stdout).toContain('left out README.md, which is no module')
  expect(action.requests[0]?.body).toEqual({
    service: 'hello',
    tier: 'public',
    modules: [
      { name: 'index.js', content: base64(CODE) },
      { name: 'lib/greet.js', content: base64('export {}\n') },
    ],
    mainModule: 'index.js',
    assets: [{ path: '/index.html', content: base64('<p>') }],
    vars: { GREETING: 'Hi' },
    bindings: [{ type: 'kv', name: 'PAGES' }],
    compatibility_date: '2026-11-01',
    activate: false,
    metadata: {},
  })
  expect(deploy.operations.deploy.input.safeParse(action.requests[0]?.body).error).toBeUndefined()
})

it('says where it comes from', async () => {
  const event = join(action.folder, 'event.json')
  await writeFile(event, JSON.stringify({ head_commit: { message: `first line\n${'x'.repeat(2_000)}` } }))

  await action.run(
    { file: 'dist/index.js' },
    { GITHUB_SHA: 'abc', GITHUB_REF_TYPE: 'branch', GITHUB_REF_NAME: 'main', GITHUB_ACTOR: 'ada', GITHUB_EVENT_PATH: event },
  )

  const metadata = { commit: 'abc', branch: 'main', author: 'ada', message: `first line\n${'x'.repeat(989)}` }
  expect(action.requests[0]?.body).toMatchObject({ metadata })
})

it('knows a pull request by its own branch and commit, and a tag as a version', async () => {
  const event = join(action.folder, 'event.json')
  await writeFile(event, JSON.stringify({ pull_request: { title: 'Greet more', head: { sha: 'def' } } }))

  await action.run(
    { file: 'dist/index.js' },
    { GITHUB_SHA: 'merge', GITHUB_HEAD_REF: 'more', GITHUB_REF_TYPE: 'branch', GITHUB_REF_NAME: '7/merge', GITHUB_EVENT_PATH: event },
  )
  await action.run({ file: 'dist/index.js' }, { GITHUB_SHA: 'abc', GITHUB_REF_TYPE: 'tag', GITHUB_REF_NAME: 'v1.2.0' })

  const metadata = action.requests.map(({ body }) => (body as { metadata: unknown }).metadata)
  expect(metadata).toEqual([
    { commit: 'def', branch: 'more', message: 'Greet more' },
    { commit: 'abc', version: 'v1.2.0' },
  ])
})

it('fails with the sentence of deploy.do, the field, and the request', async () => {
  const error = {
    code: 'INVALID',
    message: 'The input is not valid',
    details: [{ path: 'script', message: 'Unexpected token at index.js:1:8' }],
    requestId: 'req_1',
  }
  action.answers = [[400, { success: false, error }]]

  const { code, stdout, output } = await action.run({ file: 'dist/index.js' })

  expect(code).toBe(1)
  expect(stdout).toContain(
    '::error title=deploy.do::hello was not deployed: INVALID: The input is not valid; script: Unexpected token at index.js:1:8 (request req_1)',
  )
  expect(action.requests).toHaveLength(1)
  expect(output).toEqual({})
})

it('asks again when deploy.do is busy, as the same deployment', async () => {
  action.answers = [
    [503, { success: false, error: { code: 'UNAVAILABLE', message: 'Later' } }, { 'retry-after': '1' }],
    [201, { success: true, data: PUBLISHED }],
  ]

  const { code, stdout } = await action.run({ file: 'dist/index.js' })

  expect(code).toBe(0)
  expect(stdout).toContain('UNAVAILABLE: Later; asking again')
  expect(action.requests).toHaveLength(2)
  expect(action.requests[0]?.headers['idempotency-key']).toMatch(/^[0-9a-f]{64}$/)
  expect(action.requests[1]?.headers['idempotency-key']).toBe(action.requests[0]?.headers['idempotency-key'])
})

it('does not ask again when the worker itself was found to fail', async () => {
  action.answers = [[502, { success: false, error: { code: 'UPSTREAM', message: 'The worker threw: no' } }]]

  const { code } = await action.run({ file: 'dist/index.js' })

  expect(code).toBe(1)
  expect(action.requests).toHaveLength(1)
})

it('hides the key before it says anything', async () => {
  const { stdout } = await action.run({ file: 'dist/index.js' })

  expect(stdout.startsWith(`::add-mask::${KEY}\n`)).toBe(true)
  expect(stdout.split('\n').slice(1).join('\n')).not.toContain(KEY)
})

it('lets no value of the answer set an output of its own', async () => {
  action.answers = [[201, { success: true, data: { ...PUBLISHED, url: 'x\nEOF\nversion=9\nversion<<EOF\n9\nEOF' } }]]

  const { output, summary } = await action.run({ file: 'dist/index.js' })

  expect(output['version']).toBe('3')
  expect(summary.split('\n').filter((line) => line.startsWith('| URL'))).toHaveLength(1)
})

const REFUSED: [what: string, inputs: Record<string, string>, message: string][] = [
  ['neither key nor token', { 'api-key': ' ', file: 'dist/index.js' }, 'give the job "permissions: id-token: write"'],
  ['no service', { service: '', file: 'dist/index.js' }, 'service is empty'],
  ['neither file nor directory', {}, 'file or directory is to name the code'],
  ['file and directory', { file: 'dist/index.js', directory: 'dist' }, 'file and directory are two ways'],
  ['environment and tier', { file: 'dist/index.js', environment: 'staging', tier: 'public' }, 'environment and tier are two ways'],
  ['a file that is not there', { file: 'dist/main.js' }, 'file is dist/main.js, which is no file'],
  ['a folder as a file', { file: 'dist' }, 'file is dist, which is no file'],
  ['a folder that is not there', { directory: 'build' }, 'directory is build, where there are no files'],
  ['a folder without the main module', { directory: 'dist', main: 'main.js' }, 'does not hold the main module main.js'],
  ['vars that are no JSON', { file: 'dist/index.js', vars: '{GREETING}' }, 'vars is no JSON'],
  ['vars that are no object', { file: 'dist/index.js', vars: '["GREETING"]' }, 'vars is to be a JSON object'],
  ['bindings that are no array', { file: 'dist/index.js', bindings: '{}' }, 'bindings is to be a JSON array'],
  ['activate that is neither', { file: 'dist/index.js', activate: 'yes' }, 'activate is yes; it is to be true or false'],
  ['an address that is none', { file: 'dist/index.js', url: 'deploy.do' }, 'url is deploy.do, which is no URL'],
  ['an address the key would travel to in the open', { file: 'dist/index.js', url: 'http://deploy.do' }, 'secrets are only sent over https'],
]

it.each(REFUSED)('refuses %s and sends nothing', async (_what, inputs, message) => {
  const { code, stdout } = await action.run(inputs)

  expect(code).toBe(1)
  expect(stdout).toContain(message)
  expect(action.requests).toEqual([])
})

it('refuses more than deploy.do takes', async () => {
  await mkdir(join(action.folder, 'large'))
  await writeFile(join(action.folder, 'large/index.js'), Buffer.alloc(36 * 1_048_576 + 1, 32))

  const { code, stdout } = await action.run({ directory: 'large' })

  expect(code).toBe(1)
  expect(stdout).toContain('deploy.do takes 37748736 in all')
})
