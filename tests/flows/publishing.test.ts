import { describe, expect, inject, it } from 'vitest'
import { admin, ask, makeKey, unique } from './client.ts'
import { base64, publish, says, visit, workerName } from './publisher.ts'
import { eventually } from '../eventually.ts'

const { port } = inject('platform')

describe('a published worker', () => {
  it('answers at its host, at the host of its version, and under /api', async () => {
    const name = workerName('hello')

    const published = await publish(name, says('hello'), { metadata: { commit: 'abc', branch: 'main', author: 'me', version: 'v1.0.0' } })

    expect(published).toMatchObject({
      status: 201,
      data: { version: 1, url: `http://${name}.do.localhost:${port}/`, previewUrl: `http://v1.${name}.do.localhost:${port}/` },
    })
    expect((await visit(`${name}.do`)).text).toBe('hello')
    expect((await visit(`v1.${name}.do`)).text).toBe('hello')
    expect((await ask(`/api/${name}/anything`)).text).toBe('hello')
  })

  it('is logged with who, what and when', async () => {
    const name = workerName()
    const { data } = await publish(name, says('hello'), { metadata: { commit: 'abc', branch: 'main' } })

    const listed = await admin(`/deploy/deployments?service=${name}&limit=1`)

    expect(listed.data['items']).toEqual([
      expect.objectContaining({
        id: data['deployment']?.['id'],
        service: name,
        status: 'live',
        version: 1,
        action: 'deploy',
        metadata: { commit: 'abc', branch: 'main' },
      }),
    ])
    expect((await admin(`/deploy/deployments/${String(data['deployment']?.['id'])}`)).data).toMatchObject({ service: name })
  })

  it('rolls back to what was live before, twice and further, and to any version', async () => {
    const name = workerName()
    for (const text of ['one', 'two', 'three']) await publish(name, says(text))

    const rollback = (more = {}) => admin('/deploy/rollback', { body: { service: name, environment: 'production', ...more } })
    const live = () => visit(`${name}.do`).then(({ text }) => text)

    expect(await rollback()).toMatchObject({ status: 200, data: { version: 2 } })
    await eventually(async () => expect(await live()).toBe('two'))
    expect(await rollback()).toMatchObject({ status: 200, data: { version: 1 } })
    await eventually(async () => expect(await live()).toBe('one'))
    expect(await rollback()).toMatchObject({ status: 409 })
    expect(await rollback({ to: 3 })).toMatchObject({ status: 200 })
    await eventually(async () => expect(await live()).toBe('three'))
    expect(await rollback({ to: 9 })).toMatchObject({ status: 404 })
  })

  it('goes no further back when the same rollback is sent again', async () => {
    const name = workerName()
    for (const text of ['one', 'two', 'three']) await publish(name, says(text))
    const headers = { 'idempotency-key': unique('rollback') }

    const first = await admin('/deploy/rollback', { headers, body: { service: name } })
    const again = await admin('/deploy/rollback', { headers, body: { service: name } })

    expect(first.data['version']).toBe(2)
    expect(again.data).toEqual(first.data)
  })

  it('keeps its version number when the same content is published again', async () => {
    const name = workerName()

    const [first, again, changed] = [await publish(name, says('a')), await publish(name, says('a')), await publish(name, says('b'))]

    expect([first, again, changed].map(({ data }) => data['version'])).toEqual([1, 1, 2])
  })

  it('takes several modules, text, JSON, WebAssembly and variables', async () => {
    const name = workerName()
    const wasm = 'AGFzbQEAAAABBwFgAn9/AX8DAgEABwcBA2FkZAAACgkBBwAgACABags=' // (module (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))
    const main = `
      import { greet } from './lib/greet.js'
      import text from './note.txt'
      import add from './add.wasm'
      import settings from './settings.json'
      export default { async fetch(request, env) {
        const { exports } = await WebAssembly.instantiate(add)
        return Response.json({ greeting: greet(env.NAME), text, sum: exports.add(2, 3), settings, list: env.LIST })
      } }`
    const modules = [
      { name: 'main.js', content: base64(main) },
      { name: 'lib/greet.js', content: base64('export const greet = (name) => `hello ${name}`') },
      { name: 'note.txt', content: base64('a note') },
      { name: 'add.wasm', content: wasm },
      { name: 'settings.json', content: base64('{"depth":3}') },
    ]

    const published = await admin('/deploy/deploy', { body: { service: name, modules, vars: { NAME: 'you', LIST: [1, 2] } } })

    expect(published).toMatchObject({ status: 201 })
    expect((await visit(`${name}.do`)).text).toBe(JSON.stringify({ greeting: 'hello you', text: 'a note', sum: 5, settings: { depth: 3 }, list: [1, 2] }))
  })

  it('serves its assets before it is asked itself', async () => {
    const name = workerName()
    const assets = [
      { path: '/index.html', content: base64('<h1>home</h1>') },
      { path: '/style.css', content: base64('h1 { color: red }') },
    ]

    const published = await publish(name, says('from code'), { assets })

    expect(published).toMatchObject({ status: 201 })
    expect(await visit(`${name}.do`, '/')).toMatchObject({
      status: 200,
      text: '<h1>home</h1>',
      headers: { 'content-type': expect.stringContaining('text/html') as string },
    })
    expect(await visit(`${name}.do`, '/style.css')).toMatchObject({ headers: { 'content-type': expect.stringContaining('text/css') as string } })
    expect((await visit(`${name}.do`, '/other')).text).toBe('from code')
  })

  it('sees its visitor, and nothing of the platform’s', async () => {
    const name = workerName()
    const { key } = await makeKey({ permissions: ['things:read'] })
    await publish(
      name,
      'export default { fetch: (request) => Response.json({ headers: Object.fromEntries(request.headers), url: request.url, cf: request.cf ?? null }) }',
    )

    const asVisitor = await visit(`${name}.do`, '/a?b=c', { headers: { authorization: 'Bearer a-token-of-its-own', cookie: 'cart=1', 'x-dotdo-call': '{}' } })
    const withKey = await visit(`${name}.do`, '/', { key })

    const seen = JSON.parse(asVisitor.text) as { headers: Record<string, string>; url: string; cf: unknown }
    expect(seen).toMatchObject({
      url: `http://${name}.do.localhost:${port}/a?b=c`,
      cf: null,
      headers: { authorization: 'Bearer a-token-of-its-own', cookie: 'cart=1' },
    })
    expect(Object.keys(seen.headers).filter((header) => header.startsWith('x-dotdo'))).toEqual([])
    expect(withKey.text).not.toContain(key)
  })

  it('under a path of the platform’s host gets no cookies, sets none, and runs no page there', async () => {
    const name = workerName()
    await publish(name, `export default { fetch: (request) => new Response(request.headers.get('cookie') ?? 'none', { headers: { 'set-cookie': 'a=b' } }) }`)

    const answer = await ask(`/api/${name}/x`, { headers: { cookie: '__Host-session=secret' } })

    expect(answer).toMatchObject({ text: 'none', headers: { 'content-security-policy': 'sandbox' } })
    expect(answer.headers['set-cookie']).toBeUndefined()
  })

  it('that throws answers 502 for itself, and tells strangers nothing of why', async () => {
    const name = workerName()
    await publish(name, `let n = 0; export default { fetch() { if (n++ > 0) throw new Error('the password is hunter2'); return new Response('ok') } }`)

    const answer = await eventually(async () => {
      const thrown = await visit(`${name}.do`)
      expect(thrown.status).toBe(502)
      return thrown
    })

    expect(answer.error).toMatchObject({ code: 'UPSTREAM' })
    expect(answer.text).not.toContain('hunter2')
  })
})
