import { database } from '@dot-do/worker-data/database'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { cloudflareApi } from '../src/cloudflare.ts'
import { bindingsOf } from '../src/bindings.ts'
import { readContent } from '../src/content.ts'
import { seal } from '../src/sealing.ts'
import { uploadScript } from '../src/scripts-api.ts'
import { openSecrets, refreshSecrets } from '../src/secrets.ts'
import { scripts, secrets } from '../src/tables.ts'
import { startDeploy, type DeployInProcess } from './in-process.ts'

let deploy: DeployInProcess

const place = { tenant: 'acme', service: 'hello', environment: 'production' as const }
const script = { namespace: 'dotdo-production', script: 'acme--hello--v1' }

beforeAll(async () => {
  deploy = await startDeploy()
})
beforeEach(async () => {
  await deploy.db.database.reset()
  const input = { service: 'hello', activate: true, smokePath: '/', metadata: {}, script: Buffer.from('export default { fetch() {} }').toString('base64') }
  await uploadScript(cloudflareApi(deploy.env), script, { content: await readContent(input, new Date()), bindings: [], tags: [] })
  await database(deploy.call)
    .insert(scripts)
    .values({ ...place, version: 1, ...script, secrets: {} })
})
afterAll(() => deploy.close())

/** Stores a secret as `setSecret` does; null takes it away. */
async function store(name: string, value: string | null, version: number): Promise<void> {
  const sealed = value === null ? null : await seal(value, { ...place, name }, deploy.env.DEPLOY_SECRET_KEY)
  const changed = { version, sealed, updatedAt: new Date().toISOString(), updatedBy: 'key_1' }
  await database(deploy.call)
    .insert(secrets)
    .values({ ...place, name, ...changed })
    .onConflictDoUpdate({ target: [secrets.tenant, secrets.service, secrets.environment, secrets.name], set: changed })
}

async function held(): Promise<unknown> {
  return (await deploy.scripts.getScript(script.namespace, script.script))?.bindings
}

describe('secrets', () => {
  it('reach a script in their newest form, and leave it when they are removed', async () => {
    await store('A', 'one', 1)
    await store('B', 'two', 1)
    await refreshSecrets(place, [1], deploy.call)
    expect(await held()).toEqual([
      { type: 'secret_text', name: 'A', text: 'one' },
      { type: 'secret_text', name: 'B', text: 'two' },
    ])

    await store('A', 'newer', 2)
    await store('B', null, 2)
    await refreshSecrets(place, [1], deploy.call)

    expect(await held()).toEqual([{ type: 'secret_text', name: 'A', text: 'newer' }])
  })

  it('that a script has already cost no call of Cloudflare', async () => {
    await store('A', 'one', 1)
    await refreshSecrets(place, [1], deploy.call)
    const unreachable = { ...deploy.call, env: { ...deploy.env, CLOUDFLARE_API_BASE_URL: 'http://127.0.0.1:1' } }

    await expect(refreshSecrets(place, [1], unreachable)).resolves.toBeUndefined()
  })

  it('of one environment are not another’s, and removed ones are nobody’s', async () => {
    await store('A', 'one', 1)
    await store('B', null, 2)

    expect(await openSecrets(place, deploy.call)).toEqual([{ name: 'A', version: 1, text: 'one' }])
    expect(await openSecrets({ ...place, environment: 'staging' }, deploy.call)).toEqual([])
  })

  it('are listed by name, without what they hold', async () => {
    await store('B', 'two', 1)
    await store('A', 'one', 3)
    await store('C', null, 2)
    const asker = deploy.as('someone', ['secrets:read'], 'acme')

    const { items } = await asker.listSecrets({ service: 'hello' })

    expect(items.map(({ name, version }) => [name, version])).toEqual([
      ['A', 3],
      ['B', 1],
    ])
    expect(Object.keys(items[0] ?? {}).sort()).toEqual(['environment', 'name', 'service', 'tenant', 'updatedAt', 'updatedBy', 'version'])
  })

  it.each([
    [{ vars: { A: 1 }, bindings: [] }, 'vars.A'],
    [{ vars: {}, bindings: [{ type: 'db' as const, name: 'A' }] }, 'bindings'],
  ])('do not share a name with what else a worker has: %o', (content, path) => {
    expect(() => bindingsOf(content, place, [{ name: 'A', version: 1, text: 'one' }])).toThrow(
      expect.objectContaining({ code: 'INVALID', details: [expect.objectContaining({ path })] }),
    )
  })
})

describe('bindings', () => {
  it('lead to the dispatcher, with props that the worker cannot choose', () => {
    const bindings = [
      { type: 'db' as const, name: 'DB' },
      { type: 'kv' as const, name: 'KV' },
      { type: 'bucket' as const, name: 'FILES' },
      { type: 'worker' as const, name: 'API', service: 'api' },
    ]
    const own = { tenant: 'acme', worker: 'hello' }
    const lent = { type: 'service', service: 'dispatcher' }

    expect(bindingsOf({ vars: { TEXT: 'a', LIST: [1] }, bindings }, place, [{ name: 'S', version: 1, text: 's' }])).toEqual([
      { type: 'plain_text', name: 'TEXT', text: 'a' },
      { type: 'json', name: 'LIST', json: [1] },
      { type: 'secret_text', name: 'S', text: 's' },
      { ...lent, name: 'DB', entrypoint: 'TenantDb', props: own },
      { ...lent, name: 'KV', entrypoint: 'TenantKv', props: own },
      { ...lent, name: 'FILES', entrypoint: 'TenantBucket', props: own },
      { ...lent, name: 'API', entrypoint: 'Sibling', props: { tenant: 'acme', worker: 'api', environment: 'production' } },
    ])
  })
})
