import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { discoverServices } from '@dot-do/worker-local/host/workspace'
import { startPlatform } from '@dot-do/worker-local/host/platform'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { deploymentOrder } from '../../deployment-order.ts'
import { ROOT } from '../../root.ts'
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
