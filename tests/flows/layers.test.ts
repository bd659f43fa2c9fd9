import { describe, expect, inject, it } from 'vitest'
import { admin, ask, makeKey, rpc, unique, type Answered } from './client.ts'
import { publish, says, visit, workerName } from './publisher.ts'

const { port } = inject('platform')
const HTML = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }

async function explain(url: string, asked: { method?: string; key?: string } = {}): Promise<unknown> {
  const { method = 'GET', ...more } = asked
  return (await admin(`/_routes?explain=${encodeURIComponent(url)}&method=${method}`, more)).data['explanation']
}

describe('a host of somebody’s own', () => {
  it('leads to its service as a host of the service’s does, keys, paths beginning with /_ and all', async () => {
    const host = `${unique('data')}.example.com`
    const $id = unique('note')
    await admin('/db/things', { body: { $type: 'Note', $id } })

    const created = await admin('/_domains', { body: { host, service: 'db' } })
    const read = await admin(`/things/${$id}`, { host })

    expect(created.status).toBe(201)
    expect(read).toMatchObject({ status: 200, data: { $id } })
    expect((await ask(`/things/${$id}`, { host })).status).toBe(401)
    expect((await ask('/_x', { host })).status).toBe(401)
    expect((await ask('//%5fx', { host })).status).toBe(401)
    expect((await admin('/openapi.json', { host })).text).toContain('"/things')
    expect(await explain(`https://${host}/things/x`)).toMatchObject({
      layer: 'domain',
      rule: `domain ${host}`,
      service: 'db',
      operation: 'get',
      access: 'granted',
      grant: '*',
    })
    expect((await admin('/_routes')).data['domains']).toEqual(expect.arrayContaining([expect.objectContaining({ host, service: 'db' })]))
    expect((await admin(`/_domains/${host}`, { method: 'DELETE' })).data).toMatchObject({ host })
  })

  it('that leads to a published worker leads nowhere else', async () => {
    const name = workerName()
    await publish(name, says('hello'))
    const host = `${unique('shop')}.example.org`
    expect((await admin('/_domains', { body: { host: `${name}.do`, service: 'db' } })).status).toBe(400)
    expect((await admin('/_domains', { body: { host, service: name } })).status).toBe(400)
  })
})

describe('a host where nothing is published', () => {
  it.each(['nobody-here.do', 'nobody-here.example.com', 'acme.nobody.tenant.do'])('shows people a page at %s, and tells programs 404', async (name) => {
    const host = name.endsWith('.do') ? `${name}.localhost:${port}` : name
    const page = await ask('/some/where', { host, headers: HTML })
    const program = await ask('/some/where', { host })

    expect(page).toMatchObject({ status: 404, headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' } })
    expect(page.headers).not.toHaveProperty('x-dotdo-dispatch')
    expect(page.text).toContain(name)
    expect(program).toMatchObject({ status: 404, error: { code: 'NOT_FOUND' } })
    expect(program.headers).not.toHaveProperty('x-dotdo-dispatch')
    expect((await ask('/', { host, method: 'POST', headers: HTML, body: 'x' })).headers['content-type']).toContain('json')
  })

  it('takes the address that a person leaves, thanks them, and tells an operator', async () => {
    const email = `${unique('ada')}@example.com`
    const post = (text: string) =>
      ask('/waitlist', { host: `soon-enough.do.localhost:${port}`, headers: { ...HTML, 'content-type': 'application/x-www-form-urlencoded' }, body: text })

    const joined = await post(`email=${encodeURIComponent(email.toUpperCase())}`)
    const wrong = await post('email=nobody')

    expect(joined).toMatchObject({ status: 200, text: expect.stringContaining('You are on the list') as unknown })
    expect(wrong).toMatchObject({ status: 400, text: expect.stringContaining('does not read like') as unknown })
    const { data } = await admin('/_waitlist?limit=100')
    expect(data['items']).toEqual(expect.arrayContaining([expect.objectContaining({ email, host: 'soon-enough.do' })]))
    expect((await admin(`/_waitlist/${encodeURIComponent(email)}`, { method: 'DELETE' })).data).toEqual({ deleted: true })
  })

  it('takes few addresses from one place', async () => {
    const from = { ...HTML, 'content-type': 'application/x-www-form-urlencoded', 'cf-connecting-ip': '192.0.2.251' }
    const answers: Answered[] = []
    for (let count = 0; count < 11; count++)
      answers.push(await ask('/waitlist', { host: `soon-enough.do.localhost:${port}`, headers: from, body: `email=a${count}@example.com` }))

    expect(answers.map(({ status }) => status)).toEqual([...Array.from({ length: 10 }, () => 200), 429])
  })

  it('is not one where a worker itself says 404, or takes a form of its own', async () => {
    const name = workerName()
    await publish(
      name,
      `export default { async fetch(request) { return new Response('own ' + (await request.text()), { status: 404, headers: { 'x-dotdo-dispatch': 'nothing' } }) } }`,
    )

    const page = await visit(`${name}.do`, '/nowhere', { headers: HTML })
    const form = await visit(`${name}.do`, '/waitlist', {
      headers: { ...HTML, 'content-type': 'application/x-www-form-urlencoded' },
      body: 'email=a@example.com',
    })

    expect(page).toMatchObject({ status: 404, text: 'own ' })
    expect(form).toMatchObject({ status: 404, text: 'own email=a@example.com' })
  })

  it('is explained, and so is one where something is', async () => {
    const name = workerName()
    await publish(name, says('hello'))
    const { key } = await makeKey({ permissions: ['routes:read'] })

    expect(await explain('https://nobody-here.do/')).toMatchObject({ layer: 'waitlist', service: 'dispatcher', access: 'denied' })
    expect(await explain(`https://${name}.do/x`)).toMatchObject({
      layer: 'host',
      service: 'dispatcher',
      access: 'granted',
      reason: expect.stringContaining(`version 1 of ${name}`) as unknown,
    })
    expect(await explain(`/api/${name}/x`)).toMatchObject({ layer: 'path', access: 'granted' })
    expect(await explain(`https://${name}.do/x`, { key })).toMatchObject({ access: 'denied', reason: expect.stringContaining('pointers:read') as unknown })
  })
})

describe('a request that a Worker sends through the gateway', () => {
  const onBehalfOf = (permissions: string[], tenant: string) => ({ onBehalfOf: { id: unique('key'), kind: 'key', tenant, permissions } })

  it('is made in the name of whoever called it, and of nobody else', async () => {
    const tenant = unique('tenant')
    const call = onBehalfOf(['things:read', 'things:write'], tenant)
    const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${inject('platform').adminKey}`, 'x-dotdo-call': '{"onBehalfOf":{}}' }

    const written = await rpc('GATEWAY_DELEGATE', 'route', { url: '/db/things', method: 'POST', headers, body: '{"$type":"Note","$id":"a"}' }, call)
    const refused = await rpc('GATEWAY_DELEGATE', 'route', { url: 'https://auth.do/apikeys', headers }, call)

    expect(written.value).toMatchObject({ status: 201, headers: { 'x-request-id': expect.any(String) as unknown, 'x-ratelimit-limit': '60' } })
    expect(JSON.parse(String(written.value['body']))).toMatchObject({ data: { ns: tenant, $id: 'a' } })
    expect(refused.value).toMatchObject({ status: 403 })
  })

  it('has a Worker’s own rights where it speaks for nobody, and is still no Worker', async () => {
    const read = await rpc('GATEWAY_ADMIN', 'route', { url: '/db/count' })

    expect(read.value['status']).toBe(200)
    expect((await rpc('GATEWAY_POWERLESS', 'route', { url: '/db/count' })).value['status']).toBe(403)
    expect((await rpc('GATEWAY_STRANGER', 'route', { url: '/health' })).error['code']).toBe('UNAUTHENTICATED')
  })

  it.each([
    [{ url: 'ftp://gateway.do/' }, 'url'],
    [{ url: 'http://' }, 'url'],
    [{ url: '/', headers: { 'a b': 'c' } }, 'headers'],
    [{ url: '/', method: 'GET', body: 'x' }, 'body'],
    [{ url: '/', method: 'TRACE' }, 'method'],
  ])('is refused where it is none: %o', async (input, path) => {
    expect((await rpc('GATEWAY_ADMIN', 'route', input)).error).toMatchObject({ code: 'INVALID', details: [{ path }] })
  })

  it('reaches published workers, and comes back as text', async () => {
    const name = workerName()
    await publish(name, says('hello'))

    expect((await rpc('GATEWAY_ADMIN', 'route', { url: `https://${name}.do/` })).value).toMatchObject({ status: 200, body: 'hello' })
  })
})

describe('a published worker that fails', () => {
  it('hinders neither others nor the dispatcher, however often it does', async () => {
    const [broken, well] = [workerName(), workerName()]
    await publish(broken, 'export default { fetch({ url }) { if (url.endsWith("/fail")) throw new Error("broken"); return new Response("ok") } }')
    await publish(well, says('hello'))

    const failed = await Promise.all(Array.from({ length: 30 }, () => visit(`${broken}.do`, '/fail')))

    expect(new Set(failed.map(({ status }) => status))).toEqual(new Set([502]))
    expect((await visit(`${well}.do`)).text).toBe('hello')
    expect((await admin(`/dispatcher/resolve?url=${well}.do`)).status).toBe(200)
    expect((await ask('/health')).data['checks']).toMatchObject({ dispatcher: { status: 'ok' } })
  })
})
