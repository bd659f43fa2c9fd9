import { expect, it } from 'vitest'
import { answerOf, apiUnderTest, form, NOW, TENANTS, type Answer, type ApiUnderTest } from './api-under-test.ts'

const PAGE = { hash: 'a'.repeat(32), size: 4 }
const LOGO = { hash: 'b'.repeat(32), size: 2 }
const manifest = { '/index.html': PAGE, '/copy.html': PAGE, '/logo': LOGO }

const start = ({ ask }: ApiUnderTest, files: object, script = 'shop') => ask('POST', `${TENANTS}/scripts/${script}/assets-upload-session`, { manifest: files })

async function send({ respond }: ApiUnderTest, token: string, files: [hash: string, content: string, type: string][]): Promise<Answer> {
  const body = new FormData()
  for (const [hash, content, type] of files) body.set(hash, new File([Buffer.from(content).toString('base64')], hash, { type }))
  const url = 'http://localhost/client/v4/accounts/acc/workers/assets/upload?base64=true'
  return await answerOf(await respond(new Request(url, { method: 'POST', headers: { authorization: `Bearer ${token}` }, body })))
}

const tokenIn = ({ result }: Answer): string => Object(result).jwt

it('asks for bytes it does not have, and gives the token to deploy once it has them', async () => {
  const api = await apiUnderTest()

  const started = await start(api, manifest)
  const part = await send(api, tokenIn(started), [[PAGE.hash, 'page', 'text/html']])
  const all = await send(api, tokenIn(started), [[LOGO.hash, '<>', 'application/null']])
  const deployed = await api.upload(
    'shop',
    form({ assets: { jwt: tokenIn(all), config: { html_handling: 'none' } }, bindings: [{ type: 'assets', name: 'ASSETS' }] }),
  )

  expect(started.result).toMatchObject({ buckets: [[PAGE.hash, LOGO.hash]] })
  expect(part).toMatchObject({ status: 202, result: {} })
  expect(all.status).toBe(201)
  expect(deployed.status).toBe(200)
  const assets = (await api.store.getScript('tenants', 'shop'))?.assets
  expect(assets?.config).toEqual({ html_handling: 'none' })
  expect(assets?.manifest['/copy.html']).toEqual(assets?.manifest['/index.html'])
  expect(assets?.manifest['/index.html']).toMatchObject({ contentType: 'text/html', sizeBytes: 4 })
  expect(assets?.manifest['/logo']).not.toHaveProperty('contentType')
  expect(String(await api.store.readBlob(assets?.manifest['/index.html'] ?? { sha256: '' }))).toBe('page')
})

it('asks again only for what the same script does not have', async () => {
  const api = await apiUnderTest()
  const all = await send(api, tokenIn(await start(api, manifest)), [
    [PAGE.hash, 'page', 'text/html'],
    [LOGO.hash, '<>', 'image/png'],
  ])
  await api.upload('shop', form({ assets: { jwt: tokenIn(all) } }))

  const same = await start(api, { '/moved.html': PAGE })
  const deployed = await api.upload('shop', form({ assets: { jwt: tokenIn(same) } }))
  const other = await start(api, { '/index.html': PAGE }, 'other')

  expect(same.result).toMatchObject({ buckets: [] })
  expect(deployed.status).toBe(200)
  expect(Object.keys((await api.store.getScript('tenants', 'shop'))?.assets?.manifest ?? {})).toEqual(['/moved.html'])
  expect(other.result).toMatchObject({ buckets: [[PAGE.hash]] })
})

it('keeps static files over an upload that says so, and drops them at one that does not', async () => {
  const api = await apiUnderTest()
  const all = await send(api, tokenIn(await start(api, { '/a': LOGO })), [[LOGO.hash, '<>', 'image/png']])
  await api.upload('shop', form({ assets: { jwt: tokenIn(all) } }))

  await api.upload('shop', form({ keep_assets: true }))
  const kept = await api.store.getScript('tenants', 'shop')
  await api.upload('shop', form())
  const dropped = await api.store.getScript('tenants', 'shop')

  expect(Object.keys(kept?.assets?.manifest ?? {})).toEqual(['/a'])
  expect(dropped).not.toHaveProperty('assets')
})

it('takes a script that is only static files', async () => {
  const api = await apiUnderTest()
  const all = await send(api, tokenIn(await start(api, { '/a': LOGO })), [[LOGO.hash, '<>', 'image/png']])

  const { status } = await api.upload('shop', form({ main_module: undefined, assets: { jwt: tokenIn(all) } }, []))

  expect(status).toBe(200)
  expect(await api.store.getScript('tenants', 'shop')).toMatchObject({ modules: [], handlers: [] })
})

it('lets a token do only what it is for, for its script, for an hour', async () => {
  let now = NOW
  const api = await apiUnderTest({ now: () => now })
  const upload = tokenIn(await start(api, { '/a': LOGO }))
  const deploy = tokenIn(await send(api, upload, [[LOGO.hash, '<>', 'image/png']]))
  const deployWith = (jwt: string, name: string) => api.upload(name, form({ assets: { jwt } }))

  expect(await send(api, deploy, [[LOGO.hash, '<>', 'image/png']])).toMatchObject({ status: 403 })
  expect(await send(api, 'right', [[LOGO.hash, '<>', 'image/png']])).toMatchObject({ status: 403 })
  expect(await deployWith(upload, 'shop')).toMatchObject({ status: 403 })
  expect(await deployWith(`${deploy}x`, 'shop')).toMatchObject({ status: 403 })
  expect(await deployWith(deploy, 'other')).toMatchObject({ status: 400, errors: [{ message: expect.stringContaining('another script') }] })
  now += 3_600_000
  expect(await deployWith(deploy, 'shop')).toMatchObject({ status: 403 })
})

it.each([
  ['bytes nobody announced', 'c'.repeat(32), 'page', 'is not in the manifest'],
  ['bytes of another length', PAGE.hash, 'pages', 'has 5 bytes, and 4'],
])('refuses %s', async (_what, hash, content, message) => {
  const api = await apiUnderTest()
  const token = tokenIn(await start(api, manifest))

  expect(await send(api, token, [[hash, content, 'text/html']])).toMatchObject({ status: 400, errors: [{ message: expect.stringContaining(message) }] })
})

it.each([
  ['a path that leaves', { '/../a': PAGE }, 'an asset path'],
  ['a path without a slash', { a: PAGE }, 'an asset path'],
  ['a hash that is none', { '/a': { ...PAGE, hash: '../x' } }, '32 hex digits'],
  ['a file that is too large', { '/a': { ...PAGE, size: 25 * 1_048_576 + 1 } }, '25 MiB'],
])('refuses a manifest with %s', async (_what, files, message) => {
  const api = await apiUnderTest()

  expect(await start(api, files)).toMatchObject({ status: 400, errors: [{ message: expect.stringContaining(message) }] })
})

it('asks for files in portions that one request can carry', async () => {
  const api = await apiUnderTest()
  const large = (index: number) => [`/${index}`, { hash: String(index).padStart(32, '0'), size: 7 * 1_048_576 }] as const

  const { result } = await start(api, Object.fromEntries([0, 1, 2, 3, 4].map(large)))

  expect(Object(result).buckets.map((bucket: string[]) => bucket.length)).toEqual([2, 2, 1])
})
