import { afterEach, beforeEach, expect, it } from 'vitest'
import { NAMESPACES } from '../../worker-namespaces.ts'
import { OWN, runScript, startCloud, workspace, type Cloud, type Workspace } from './cloud.ts'

const HANDLER = 'export default { fetch: () => new Response("ok"), queue() {}, scheduled() {} }\n'
const ENTRYPOINT = "import { WorkerEntrypoint } from 'cloudflare:workers'\nexport class BaseService extends WorkerEntrypoint {}\n"
const OBJECT = "import { DurableObject } from 'cloudflare:workers'\nexport class Counter extends DurableObject {}\n"

const config = (name: string, more: object = {}): string =>
  JSON.stringify({ name, main: 'src/index.js', compatibility_date: '2026-11-01', workers_dev: false, preview_urls: false, ...more })

const BASE = { binding: 'BASE_SERVICE', service: 'base', entrypoint: 'BaseService', props: { principal: { id: 'x', permissions: [] } } }

const MAIL = {
  services: [BASE],
  durable_objects: { bindings: [{ name: 'Counters', class_name: 'Counter' }] },
  migrations: [{ tag: 'v1', new_sqlite_classes: ['Counter'] }],
  r2_buckets: [{ binding: 'FILES_BUCKET', bucket_name: 'mail-files' }],
  queues: { producers: [{ binding: 'MAIL_QUEUE', queue: 'mail' }], consumers: [{ queue: 'mail', max_batch_size: 10, dead_letter_queue: 'mail-dlq' }] },
  triggers: { crons: ['0 * * * *'] },
}

/** Three Workers whose order by name is not the order of their bindings. */
const WORKERS: Record<string, string> = {
  'base/wrangler.jsonc': config('base'),
  'base/src/index.js': ENTRYPOINT + HANDLER,
  'admin/wrangler.jsonc': config('admin', {
    services: [{ ...BASE, binding: 'MAIL_SERVICE', service: 'mail', entrypoint: 'Counter' }],
    routes: [{ pattern: 'admin.do', custom_domain: true }],
    dispatch_namespaces: [{ binding: 'TENANT', namespace: 'dotdo-tenant', outbound: { service: 'admin', parameters: ['outbound'] } }],
  }),
  'admin/src/index.js': HANDLER,
  'mail/wrangler.jsonc': config('mail', MAIL),
  'mail/src/index.js': OBJECT + HANDLER,
}

let cloud: Cloud
let workers: Workspace

beforeEach(async () => {
  cloud = await startCloud()
  workers = await workspace(WORKERS)
})

afterEach(async () => {
  await Promise.all([cloud.close(), workers.remove()])
})

const run = (script: string, ...args: string[]) => runScript(workers.root, script, { args, env: cloud.env })
/** An account whose namespaces are there, so that a test is about what comes after them. */
const withNamespaces = async () => {
  for (const name of NAMESPACES) await cloud.store.createNamespace(name)
}
const up = async (namespace: string) => (await cloud.store.listScripts(namespace)).map(({ name }) => name)
const namespaces = () => cloud.store.listNamespaces().flatMap(({ name }) => (name === OWN ? [] : [name]))

it('setup-namespaces.sh creates what is missing, once', async () => {
  const looked = await run('setup-namespaces.sh', '--dry-run')
  const before = namespaces()
  await cloud.store.createNamespace('dotdo-staging')
  const first = await run('setup-namespaces.sh')
  const second = await run('setup-namespaces.sh')

  expect([looked.code, first.code, second.code]).toEqual([0, 0, 0])
  expect(looked.said).toContain('dotdo-production is missing')
  expect(before).toEqual([])
  expect(first.said).toContain('dotdo-staging is there')
  expect(first.said).toContain('dotdo-production was created')
  expect(namespaces()).toEqual(NAMESPACES)
  expect(second.said).toContain('nothing to do')
})

it('setup-namespaces.sh says so when it is not let in, and creates nothing', async () => {
  const { code, said } = await runScript(workers.root, 'setup-namespaces.sh', { env: { ...cloud.env, CLOUDFLARE_API_TOKEN: 'another' } })

  expect(code).toBe(1)
  expect(said).toContain('Authentication error')
  expect(said).toContain("The account's namespaces cannot be listed")
  expect(said).not.toContain('another')
  expect(namespaces()).toEqual([])
})

it('deploy-all.sh puts up namespaces, queues and Workers with all they hold, and can be repeated', async () => {
  await workers.write({ 'mail/wrangler.jsonc': config('mail', { ...MAIL, kv_namespaces: [{ binding: 'PAGES_KV' }] }) })
  for (const name of NAMESPACES) if (name !== 'dotdo-tenant') await cloud.store.createNamespace(name)

  const first = await run('deploy-all.sh', '--no-verify')
  const second = await run('deploy-all.sh', '--no-verify')

  expect(first.said).toContain('deployed to Cloudflare: base mail admin')
  expect(second.said).toContain('deployed to Cloudflare: base mail admin')
  expect([first.code, second.code]).toEqual([0, 0])
  expect(namespaces()).toEqual(NAMESPACES)
  expect(await up(OWN)).toEqual(['admin', 'base', 'mail'])
  const mail = await cloud.store.getScript(OWN, 'mail')
  const { state } = cloud.account
  expect(mail?.bindings).toEqual(
    expect.arrayContaining([
      { type: 'service', name: 'BASE_SERVICE', service: 'base', entrypoint: 'BaseService', props: BASE.props },
      { type: 'durable_object_namespace', name: 'Counters', class_name: 'Counter' },
      { type: 'kv_namespace', name: 'PAGES_KV', namespace_id: state.kvNamespaces[0]?.id },
      { type: 'r2_bucket', name: 'FILES_BUCKET', bucket_name: 'mail-files' },
      { type: 'queue', name: 'MAIL_QUEUE', queue_name: 'mail' },
    ]),
  )
  expect(state.kvNamespaces).toHaveLength(1)
  expect(state.queues.map(({ queue_name, consumers }) => [queue_name, consumers.map(({ script }) => script)])).toEqual([
    ['mail', ['mail']],
    ['mail-dlq', []],
  ])
  expect(state.workers['mail']).toMatchObject({ crons: ['0 * * * *'], subdomain: { enabled: false } })
  expect(state.workers['admin']).toMatchObject({ domains: ['admin.do'] })
  expect(state.workers['mail']?.deployments).toHaveLength(2)
})

it('deploy-all.sh deploys those that were named, in the same order', async () => {
  await withNamespaces()

  const { code, said } = await run('deploy-all.sh', '--no-verify', '--only', 'mail,base')

  expect(code).toBe(0)
  expect(said).toContain('deployed to Cloudflare: base mail')
  expect(await up(OWN)).toEqual(['base', 'mail'])
})

it('deploy-all.sh stops at the first Worker that is refused, says what is up and what is not, and goes on once the reason is gone', async () => {
  await withNamespaces()
  await workers.write({ 'mail/wrangler.jsonc': config('mail', { ...MAIL, migrations: [] }) })

  const stopped = await run('deploy-all.sh', '--no-verify')
  const between = await up(OWN)
  await workers.write({ 'mail/wrangler.jsonc': config('mail', MAIL) })
  const resumed = await run('deploy-all.sh', '--no-verify', '--only', 'mail', '--only', 'admin')

  expect(stopped.code).toBe(1)
  expect(stopped.said).toContain('!! mail was not deployed. Deployed before it: base. Not deployed: mail admin.')
  expect(between).toEqual(['base'])
  expect(resumed.said).toContain('deployed to Cloudflare: mail admin')
  expect(resumed.code).toBe(0)
  expect(await up(OWN)).toEqual(['admin', 'base', 'mail'])
})

it('deploy-all.sh fails when what it deployed does not work', async () => {
  await withNamespaces()

  const { code, said } = await run('deploy-all.sh', '--only', 'base', '--url', 'ftp://gateway.do')

  expect(code).toBe(1)
  expect(said).toContain('--url is ftp://gateway.do, which is no http or https URL')
  expect(said).toContain('!! everything is deployed, and does not all work')
  expect(await up(OWN)).toEqual(['base'])
})

it('deploy-all.sh --dry-run bundles all and changes nothing', async () => {
  const { code, said } = await run('deploy-all.sh', '--dry-run')

  expect(code).toBe(0)
  expect(said).toContain('deployed as a dry run: base mail admin')
  expect(namespaces()).toEqual([])
  expect(await up(OWN)).toEqual([])
})

it('a Worker bound to one that is not up is refused', async () => {
  await withNamespaces()

  const { code, said } = await run('deploy-all.sh', '--no-verify', '--only', 'mail')

  expect(code).toBe(1)
  expect(said).toMatch(/Could not resolve service binding 'BASE_SERVICE'\. Target script 'base' not found/)
  expect(await up(OWN)).toEqual([])
})

it('deploy-to-namespace.sh puts one Worker into a namespace, and no other', async () => {
  await withNamespaces()

  const { code, said } = await run('deploy-to-namespace.sh', 'base', 'dotdo-staging')

  expect(code).toBe(0)
  expect(said).toContain('deployed into dotdo-staging: base')
  expect(await up('dotdo-staging')).toEqual(['base'])
  expect(await up(OWN)).toEqual([])
})

it('deploy-to-namespace.sh all puts every Worker there, bound to the regular ones', async () => {
  await withNamespaces()
  await run('deploy-all.sh', '--no-verify')

  const { code, said } = await run('deploy-to-namespace.sh', 'all', 'dotdo-staging')

  expect(said).toContain('deployed into dotdo-staging: base mail admin')
  expect(code).toBe(0)
  expect(await up('dotdo-staging')).toEqual(['admin', 'base', 'mail'])
  expect(await up('dotdo-production')).toEqual([])
})

it('deploy-to-namespace.sh all stops at the first Worker whose regular neighbour is not there', async () => {
  await withNamespaces()

  const { code, said } = await run('deploy-to-namespace.sh', 'all', 'dotdo-staging')

  expect(code).toBe(1)
  expect(said).toContain('!! mail was not deployed. Deployed before it: base. Not deployed: mail admin.')
  expect(await up('dotdo-staging')).toEqual(['base'])
})

const REFUSED: [script: string, args: string[], message: string][] = [
  ['setup-namespaces.sh', ['--dry'], 'setup-namespaces.sh does not know --dry'],
  ['deploy-to-namespace.sh', [], 'deploy-to-namespace.sh takes a service, or all, and a namespace'],
  ['deploy-to-namespace.sh', ['base'], 'deploy-to-namespace.sh takes a service, or all, and a namespace'],
  ['deploy-to-namespace.sh', ['bass', 'dotdo-staging'], 'no Worker is called bass; there are: admin, base, mail'],
  ['deploy-to-namespace.sh', ['base', 'dotdo-stagin'], `no namespace is called dotdo-stagin; there are: ${NAMESPACES.join(' ')}`],
  ['deploy-all.sh', ['--only', 'base,bass'], 'no Worker is called bass; there are: admin, base, mail'],
  ['deploy-all.sh', ['--only'], '--only needs a value'],
  ['deploy-all.sh', ['base'], 'deploy-all.sh does not know base'],
]

it.each(REFUSED)('%s %j is refused before anything is done', async (script, args, message) => {
  const { code, said } = await run(script, ...args)

  expect(code).toBe(2)
  expect(said).toContain(message)
  expect(namespaces()).toEqual([])
})

it.each(['setup-namespaces.sh', 'deploy-to-namespace.sh', 'deploy-all.sh'])('%s --help says what it does', async (script) => {
  const { code, said } = await run(script, '--help')

  expect(code).toBe(0)
  expect(said).toContain(script)
})

it('deploy-all.sh names the members of a cycle', async () => {
  await workers.write({ 'base/wrangler.jsonc': config('base', { services: [{ binding: 'MAIL_SERVICE', service: 'mail' }] }) })

  const { code, said } = await run('deploy-all.sh', '--no-verify')

  expect(code).not.toBe(0)
  expect(said).toContain('Workers that wait for each other cannot be deployed: mail → base → mail')
  expect(namespaces()).toEqual([])
})
