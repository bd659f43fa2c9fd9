import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cloudflareApi } from '../src/cloudflare.ts'
import { readContent } from '../src/content.ts'
import { deleteScript, deleteSecret, putSecret, uploadScript } from '../src/scripts-api.ts'
import { startDeploy, type DeployInProcess } from './in-process.ts'

let deploy: DeployInProcess

beforeAll(async () => {
  deploy = await startDeploy()
})
afterAll(() => deploy.close())

const base64 = (text: string): string => Buffer.from(text).toString('base64')

function content(assets: { path: string; content: string }[] = []) {
  const modules = [
    { name: 'main.js', content: base64(`import { a } from './lib/a.js'; export default { fetch: () => new Response(a) }`) },
    { name: 'lib/a.js', content: base64('export const a = 1') },
  ]
  return readContent({ service: 'hello', activate: true, smokePath: '/', metadata: {}, modules, assets }, new Date())
}

describe('a script', () => {
  it('is uploaded with modules, bindings and tags, and again with the same end', async () => {
    const place = { namespace: 'dotdo-production', script: 'hello--v1' }
    const upload = { content: await content(), bindings: [{ type: 'plain_text', name: 'A', text: 'b' }], tags: ['default', 'worker:hello', 'v1'] }

    await uploadScript(cloudflareApi(deploy.env), place, upload)
    await uploadScript(cloudflareApi(deploy.env), place, upload)

    expect(await deploy.scripts.getScript(place.namespace, place.script)).toMatchObject({
      mainModule: 'main.js',
      modules: [
        { name: 'main.js', type: 'esm' },
        { name: 'lib/a.js', type: 'esm' },
      ],
      bindings: upload.bindings,
      tags: upload.tags,
    })
  })

  it('brings its files, two of one content under each of their names', async () => {
    const place = { namespace: 'dotdo-production', script: 'files--v1' }
    const assets = ['/index.html', '/copy.txt'].map((path) => ({ path, content: base64('same') }))

    await uploadScript(cloudflareApi(deploy.env), place, { content: await content(assets), bindings: [], tags: [] })

    const script = await deploy.scripts.getScript(place.namespace, place.script)
    expect(script?.assets?.manifest).toMatchObject({ '/index.html': { contentType: 'text/html' }, '/copy.txt': { contentType: 'text/plain' } })
    expect(script?.bindings).toEqual([{ type: 'assets', name: 'ASSETS' }])
  })

  it('gets and loses secrets, and goes; what is not there to go is gone', async () => {
    const api = cloudflareApi(deploy.env)
    const place = { namespace: 'dotdo-production', script: 'secret--v1' }
    await uploadScript(api, place, { content: await content(), bindings: [], tags: [] })

    await putSecret(api, place, { name: 'TOKEN', text: 'hunter2' })
    expect((await deploy.scripts.getScript(place.namespace, place.script))?.bindings).toEqual([{ type: 'secret_text', name: 'TOKEN', text: 'hunter2' }])
    await deleteSecret(api, place, 'TOKEN')
    await deleteSecret(api, place, 'TOKEN')
    expect((await deploy.scripts.getScript(place.namespace, place.script))?.bindings).toEqual([])
    await deleteScript(api, place)
    await deleteScript(api, place)
    expect(await deploy.scripts.getScript(place.namespace, place.script)).toBeUndefined()
  })
})

describe('what Cloudflare refuses', () => {
  it('is INVALID with its own code and words', async () => {
    const place = { namespace: 'dotdo-production', script: 'bad--v1' }
    const bindings = [{ type: 'unheard_of', name: 'A' }]

    const refused = uploadScript(cloudflareApi(deploy.env), place, { content: await content(), bindings, tags: [] })

    await expect(refused).rejects.toMatchObject({
      code: 'INVALID',
      message: expect.stringMatching(/^Cloudflare refused it: .*A.*\(Cloudflare \d+\)$/) as string,
    })
  })

  it.each(['a-wrong-token', 'no token at all'])('is our own fault where it is our token, which nobody gets to see: %s', async (token) => {
    const api = cloudflareApi({ ...deploy.env, CLOUDFLARE_API_TOKEN: token })

    const error: unknown = await api({ method: 'GET', path: ['workers', 'dispatch', 'namespaces'] }).catch((thrown: unknown) => thrown)

    expect(error).toMatchObject({ code: 'INTERNAL', message: 'Cloudflare refused the platform’s own credentials' })
    expect(JSON.stringify(error)).not.toContain(token)
  })

  it('is told before it is asked when something is not configured', async () => {
    const { CLOUDFLARE_API_TOKEN: _token, ...env } = deploy.env

    await expect(cloudflareApi(env)({ method: 'GET', path: [] })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('CLOUDFLARE_API_TOKEN') as string,
    })
  })
})

describe('a Cloudflare that is unwell', () => {
  let statuses: number[] = []
  let server: Server

  beforeAll(async () => {
    server = createServer((_request, answer) => {
      answer.statusCode = statuses.shift() ?? 200
      answer.end(JSON.stringify({ success: answer.statusCode === 200, errors: [{ code: 10_013, message: 'the-token-of-tests was here' }], result: 'fine' }))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  afterAll(() => server.close())

  const ask = () => {
    const { port } = server.address() as AddressInfo // it listens on a port
    return cloudflareApi({ ...deploy.env, CLOUDFLARE_API_BASE_URL: `http://127.0.0.1:${port}` })({ method: 'GET', path: ['x'] })
  }

  it('is asked again', async () => {
    statuses = [503, 429]

    expect(await ask()).toBe('fine')
  })

  it.each([
    [500, 'UPSTREAM'],
    [429, 'RATE_LIMITED'],
  ])('three times; then %i is %s', async (status, code) => {
    statuses = [status, status, status]

    await expect(ask()).rejects.toMatchObject({ code, message: expect.stringContaining('[redacted] was here (Cloudflare 10013)') as string })
    expect(statuses).toEqual([])
  })
})
