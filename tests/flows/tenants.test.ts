import { describe, expect, inject, it } from 'vitest'
import { admin, makeKey, unique } from './client.ts'
import { publish, says, visit, workerName } from './publisher.ts'
import { eventually } from '../eventually.ts'

const { url } = inject('platform')

/** A tenant with a key that may publish its workers and nothing else. */
async function tenantWithKey(prefix: string): Promise<{ tenant: string; key: string }> {
  const tenant = unique(prefix)
  const { key } = await makeKey({
    tenant,
    permissions: ['deployments:create', 'deployments:read', 'deployments:delete', 'secrets:write', 'secrets:read', 'domains:write', 'domains:read'],
  })
  return { tenant, key }
}

describe('a tenant', () => {
  it('publishes its own workers, at hosts that are its own', async () => {
    const { tenant, key } = await tenantWithKey('acme')
    const name = workerName()

    const published = await publish(name, says('acme'), { key, access: 'public' })

    expect(published).toMatchObject({ status: 201, data: { deployment: { tenant }, url: expect.stringContaining(`://${tenant}.${name}.tenant.do`) as string } })
    expect((await visit(`${tenant}.${name}.tenant.do`)).text).toBe('acme')
    expect((await visit(`v1.${tenant}.${name}.tenant.do`)).text).toBe('acme')
    expect((await visit(`${name}.do`)).status).toBe(404)
  })

  it('is refused the workers of others, and learns nothing of them', async () => {
    const { tenant } = await tenantWithKey('acme')
    const { key } = await tenantWithKey('rival')
    const name = workerName()
    await publish(name, says('acme'), { tenant })

    const refusals = await Promise.all([
      publish(name, says('rival'), { key, tenant }),
      publish(name, says('rival'), { key, tenant: 'default' }),
      admin('/deploy/rollback', { key, body: { service: name, tenant } }),
      admin('/deploy/canary', { key, body: { service: name, tenant, percent: 50 } }),
      admin('/deploy/secrets/A', { key, method: 'PUT', body: { service: name, tenant, value: 'x' } }),
      admin(`/deploy/workers/${name}?tenant=${tenant}`, { key, method: 'DELETE' }),
    ])

    expect(refusals.map(({ status }) => status)).toEqual([403, 403, 403, 403, 403, 403])
    expect((await admin(`/deploy/deployments?tenant=${tenant}`, { key })).status).toBe(404)
    expect((await admin(`/deploy/versions?service=${name}&tenant=${tenant}`, { key })).status).toBe(404)
    expect((await admin(`/deploy/workers/${name}`, { key })).status).toBe(404)
  })

  it('lets its own principals in, unless the worker is public', async () => {
    const { tenant, key } = await tenantWithKey('acme')
    const rival = await tenantWithKey('rival')
    const name = workerName()
    await publish(name, says('inside'), { key })

    const host = `${tenant}.${name}.tenant.do`

    expect((await visit(host)).status).toBe(401)
    expect((await visit(host, '/', { key: rival.key })).status).toBe(403)
    expect((await visit(host, '/', { key })).text).toBe('inside')
  })
})

describe('a permission narrowed to service, environment and tenant', () => {
  it('publishes just there', async () => {
    const name = workerName()
    const { key } = await makeKey({ tenant: 'default', permissions: [`deploy@${name}/staging/default`] })

    const [staging, production, another] = [
      await publish(name, says('a'), { key, environment: 'staging' }),
      await publish(name, says('a'), { key }),
      await publish(workerName(), says('a'), { key, environment: 'staging' }),
    ]

    expect([staging, production, another].map(({ status }) => status)).toEqual([201, 403, 403])
    expect(production.error['message']).toBe(`This needs the permission deployments:create@${name}/production/default`)
  })
})

const USES_DB = `export default { async fetch(request, env) {
  const url = new URL(request.url)
  try {
    if (request.method === 'POST') return Response.json(await env.DB.upsert(await request.json()))
    return Response.json(await env.DB.get({ id: url.pathname.slice(1), ns: url.searchParams.get('ns') ?? undefined }))
  } catch (error) {
    return Response.json({ code: error.code, message: error.message }, { status: 400 })
  }
} }`

describe('what a worker holds of the platform', () => {
  it('is a database of its tenant’s things and of nobody else’s', async () => {
    const [acme, rival] = [await tenantWithKey('acme'), await tenantWithKey('rival')]
    const name = workerName()
    for (const { key } of [acme, rival]) await publish(name, USES_DB, { key, access: 'public', bindings: [{ type: 'db', name: 'DB' }] })
    const hostOf = ({ tenant }: { tenant: string }) => `${tenant}.${name}.tenant.do`

    const written = await visit(hostOf(acme), '/', { body: { $type: 'Note', $id: 'note/secret', content: 'of acme' } })

    expect(written).toMatchObject({ status: 200 })
    expect(JSON.parse((await visit(hostOf(acme), '/note/secret')).text)).toMatchObject({ content: 'of acme', ns: acme.tenant })
    expect(JSON.parse((await visit(hostOf(rival), '/note/secret')).text)).toMatchObject({ code: 'NOT_FOUND' })
    expect((await visit(hostOf(rival), `/note/secret?ns=${acme.tenant}`)).text).not.toContain('of acme')
    expect((await visit(hostOf(rival), '/?ns=default', { body: { $type: 'Note', $id: 'x', ns: acme.tenant } })).text).not.toContain(`"ns":"${acme.tenant}"`)
  })

  it('is keys and objects of its tenant’s', async () => {
    const script = `export default { async fetch(request, env) {
      const url = new URL(request.url)
      if (request.method === 'POST') { await env.KV.put('greeting', 'hello'); await env.FILES.put('a/b.txt', 'content'); return new Response('kept') }
      const object = await env.FILES.get('a/b.txt')
      return Response.json({ value: await env.KV.get('greeting'), object: object && (object.text ? await object.text() : object), keys: await env.KV.list() })
    } }`
    const [acme, rival] = [await tenantWithKey('acme'), await tenantWithKey('rival')]
    const name = workerName()
    const bindings = [
      { type: 'kv', name: 'KV' },
      { type: 'bucket', name: 'FILES' },
    ]
    for (const { key } of [acme, rival]) await publish(name, script, { key, access: 'public', bindings })

    expect((await visit(`${acme.tenant}.${name}.tenant.do`, '/', { method: 'POST' })).text).toBe('kept')

    expect(JSON.parse((await visit(`${acme.tenant}.${name}.tenant.do`)).text)).toMatchObject({ value: 'hello', object: 'content' })
    expect(JSON.parse((await visit(`${rival.tenant}.${name}.tenant.do`)).text)).toMatchObject({ value: null, object: null })
    expect((await visit(`${rival.tenant}.${name}.tenant.do`)).text).not.toContain(acme.tenant)
  })

  it('is its siblings, by fetch and by RPC', async () => {
    const { tenant, key } = await tenantWithKey('acme')
    const [front, back] = [workerName('front'), workerName('back')]
    await publish(
      back,
      `import { WorkerEntrypoint } from 'cloudflare:workers'; export default class extends WorkerEntrypoint { fetch() { return new Response('back') } add(a, b) { return a + b } }`,
      {
        key,
      },
    )
    await publish(
      front,
      `export default { async fetch(request, env) { return Response.json([await (await env.BACK.fetch('http://back/')).text(), await env.BACK.add(2, 3)]) } }`,
      {
        key,
        access: 'public',
        bindings: [{ type: 'worker', name: 'BACK', service: back }],
      },
    )

    expect((await visit(`${tenant}.${front}.tenant.do`)).text).toBe('["back",5]')
  })
})

describe('what a worker asks of the internet', () => {
  const ASKS = `export default { async fetch(request) {
    try {
      const answer = await fetch(new URL(request.url).searchParams.get('to'), { headers: { 'x-mine': '1' } })
      return new Response(answer.status + ' ' + await answer.text())
    } catch (error) { return new Response('refused: ' + error.message) }
  } }`

  it('goes out as it is, without anything of the platform’s', async () => {
    const name = workerName()
    await publish(name, ASKS)

    const { text } = await visit(`${name}.do`, '/?to=http://example.com/a')

    expect(text).toContain('200 ')
    expect(JSON.parse(text.slice(4))).toMatchObject({ url: 'http://example.com/a', headers: { 'x-mine': '1' } })
    expect(text).not.toContain('x-dotdo')
  })

  it.each([
    url,
    'http://127.0.0.1/',
    'http://localhost:8787/',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://[::1]/',
    'http://[::ffff:10.0.0.1]/',
    'http://10.1.2.3/',
    'http://169.254.169.254/latest/meta-data',
    'http://192.168.1.1/',
    'http://db.internal/',
    'http://redirect.example/?to=http://127.0.0.1/',
  ])('is refused at %s', async (to) => {
    const name = workerName()
    await publish(name, ASKS)

    const { text } = await visit(`${name}.do`, `/?to=${encodeURIComponent(to)}`)

    expect(text).toMatch(/^(refused|403)/)
  })

  it('goes only where its tenant may', async () => {
    const { tenant, key } = await tenantWithKey('acme')
    const name = workerName()
    await publish(name, ASKS, { key, access: 'public' })
    expect(await admin(`/dispatcher/tenants/${tenant}`, { method: 'PUT', body: { outbound: ['*.example.com'] } })).toMatchObject({ status: 200 })

    const ask = (to: string) => visit(`${tenant}.${name}.tenant.do`, `/?to=${to}`).then(({ text }) => text)

    await eventually(async () => expect(await ask('http://evil.example.org/')).toMatch(/^(refused|403)/))
    expect(await ask('http://api.example.com/')).toMatch(/^200/)
  })
})

describe('a custom domain', () => {
  it('answers once its DNS record proves whose it is, and no longer than it is kept', async () => {
    const { key } = await tenantWithKey('acme')
    const name = workerName()
    const host = `${unique('shop')}.example.com`
    await publish(name, says('the shop'), { key, access: 'public' })

    const added = await admin('/deploy/domains', { key, body: { service: name, host } })
    expect(added).toMatchObject({ status: 201, data: { host, status: 'pending', verification: { type: 'TXT', name: `_dotdo-verify.${host}` } } })
    expect((await visit(host)).status).toBe(404)
    expect((await admin(`/deploy/domains/${host}/verify`, { key, method: 'POST' })).status).toBe(409)

    const { name: record, value } = added.data['verification'] as unknown as { name: string; value: string }
    const internet = inject('platform').internetUrl
    await fetch(`${internet}/dns-query?name=${record}&set=${value}`, { headers: { 'x-host': 'cloudflare-dns.com' } })
    expect(await admin(`/deploy/domains/${host}/verify`, { key, method: 'POST' })).toMatchObject({ status: 200, data: { status: 'verified' } })
    await eventually(async () => expect((await visit(host)).text).toBe('the shop'))

    await admin(`/deploy/domains/${host}`, { key, method: 'DELETE' })
    await eventually(async () => expect((await visit(host)).status).toBe(404))
  })

  it.each(['*.example.com', 'gateway.do', 'hello.do', 'not a host', 'localhost', '127.0.0.1', 'UPPER.example.com'])('cannot be %s', async (host) => {
    const name = workerName()
    await publish(name, says('a'))

    expect((await admin('/deploy/domains', { body: { service: name, host } })).status).toBe(400)
  })
})
