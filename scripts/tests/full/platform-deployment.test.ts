import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { discoverServices } from '@dot-do/worker-local/host/workspace'
import { startPlatform } from '@dot-do/worker-local/host/platform'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { deploymentOrder } from '../../deployment-order.ts'
import { ROOT } from '../../root.ts'
import { tree } from '../tree.ts'
import { OWN, runScript, startCloud, type Cloud } from './cloud.ts'

let cloud: Cloud
let stateDir: string
let platform: Awaited<ReturnType<typeof startPlatform>>

beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'deployed-'))
  ;[cloud, platform] = await Promise.all([startCloud(), startPlatform({ root: ROOT, stateDir, port: 0 })])
})

afterAll(async () => {
  await Promise.all([cloud?.close(), platform?.stop()])
  await rm(stateDir, { recursive: true, force: true })
})

it('every Worker of the platform is taken by stock wrangler with all it is bound to, in the order of the bindings', async () => {
  const order = deploymentOrder(await discoverServices(ROOT))

  const { code, said } = await runScript(ROOT, 'deploy-all.sh', { args: ['--url', platform.url], env: cloud.env })

  expect(said).toContain(`deployed to Cloudflare: ${order.join(' ')}`)
  expect(said).toContain(`${platform.url} works`)
  expect(code).toBe(0)
  expect((await cloud.store.listScripts(OWN)).map(({ name }) => name)).toEqual([...order].sort())
  expect((await cloud.store.getScript(OWN, 'deploy'))?.bindings).toContainEqual({ type: 'plain_text', name: 'CLOUDFLARE_ACCOUNT_ID', text: 'a1' })
})

it('the GitHub action publishes a file, and says where it answers and why it does not', async () => {
  const folder = await tree({ 'hello.js': `export default { fetch: () => new Response('from GitHub') }`, 'broken.js': 'export default {' })
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const output = join(folder, 'output')
  const run = (file: string) =>
    runScript(ROOT, '../node_modules/.bin/node', {
      args: [join(ROOT, '.github/actions/deploy/deploy.mjs')],
      env: {
        DEPLOY_SERVICE: 'from-github',
        DEPLOY_FILE: join(folder, file),
        DEPLOY_URL: `http://127.0.0.1:${platform.port}/deploy`,
        DEPLOY_API_KEY: platform.admin?.adminKey ?? '',
        GITHUB_OUTPUT: output,
        GITHUB_SHA: 'c0ffee',
      },
    })

  const published = await run('hello.js')
  const refused = await run('broken.js')

  expect(published).toMatchObject({ code: 0 })
  expect(await readFile(output, 'utf8')).toContain(`http://from-github.do.localhost:${platform.port}/`)
  expect(refused.code).toBe(1)
  expect(refused.said).toContain('syntax error')
})

it('verify-deployment.ts prints what it asked as JSON', async () => {
  const { code, said } = await runScript(ROOT, '../node_modules/.bin/node', {
    args: [join(ROOT, 'scripts/verify-deployment.ts'), '--url', platform.url, '--wait', '0', '--json'],
  })

  const { ok, checks } = JSON.parse(said) as { ok: boolean; checks: { check: string; ok: boolean }[] }
  expect(code).toBe(0)
  expect(ok).toBe(true)
  expect(checks.map(({ check }) => check)).toEqual(expect.arrayContaining(['db: health', 'openapi.json', 'gateway: strangers', 'db: strangers']))
})

it('verify-deployment.ts fails where nothing answers, and says so', async () => {
  const { code, said } = await runScript(ROOT, '../node_modules/.bin/node', {
    args: [join(ROOT, 'scripts/verify-deployment.ts'), '--url', 'http://127.0.0.1:9', '--wait', '0'],
  })

  expect(code).toBe(1)
  expect(said).toMatch(/!! db: health +–/)
  expect(said).toContain('are not as they should be at http://127.0.0.1:9')
})
