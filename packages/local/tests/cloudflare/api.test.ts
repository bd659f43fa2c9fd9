import { describe, expect, it, vi } from 'vitest'
import { HOSTED_CALL_LIMIT } from '../../src/cloudflare/api/admission.ts'
import type { TailSource } from '../../src/cloudflare/api/context.ts'
import { answerOf, apiUnderTest, form, NOW, TENANTS } from './api-under-test.ts'

const base = 'http://localhost/client/v4'

describe('who may call', () => {
  it.each<[string, Record<string, string>, number, number]>([
    ['nobody without a token', {}, 400, 9106],
    ['nobody with another kind of header', { authorization: 'Basic cmlnaHQ=' }, 400, 6003],
    ['nobody with a wrong token', { authorization: 'Bearer wrong' }, 403, 10_000],
    ['nobody with the beginning of the token', { authorization: 'Bearer righ' }, 403, 10_000],
  ])('%s', async (_what, headers, status, code) => {
    const { ask } = await apiUnderTest()

    const answer = await ask('GET', '/workers/dispatch/namespaces', undefined, headers)

    expect(answer).toMatchObject({ status, success: false, errors: [{ code }], result: null })
  })

  it('does not tell those without a token what is there', async () => {
    const { respond } = await apiUnderTest()

    const answer = await answerOf(await respond(new Request(`${base}/no/such/route`)))

    expect(answer).toMatchObject({ status: 400, errors: [{ code: 9106 }] })
  })
})

it.each([
  ['another account', 'GET', `${base}/accounts/other/workers/dispatch/namespaces`, 404, 7003],
  ['an unknown path', 'GET', `${base}/accounts/acc/workers/unknown`, 404, 7003],
  ['a path above the API', 'GET', 'http://localhost/accounts', 404, 7003],
  ['a path with a broken escape', 'GET', `${base}/accounts/%zz`, 404, 7003],
  ['a method that a path does not take', 'POST', `${base}/accounts`, 405, 10_000],
])('refuses %s as Cloudflare does', async (_what, method, url, status, code) => {
  const { respond } = await apiUnderTest()

  const answer = await answerOf(await respond(new Request(url, { method, headers: { authorization: 'Bearer right' } })))

  expect(answer).toMatchObject({ status, errors: [{ code }] })
})

it.each(['/user', '/user/tokens/verify', '/accounts', '/accounts/acc', '/memberships', '/accounts/acc/tokens/verify', '/accounts/acc/workers/subdomain'])(
  'answers %s, which clients ask to know who they are',
  async (path) => {
    const { respond } = await apiUnderTest()

    const answer = await answerOf(await respond(new Request(`${base}${path}`, { headers: { authorization: 'Bearer right' } })))

    expect(answer).toMatchObject({ status: 200, success: true, errors: [], result: expect.anything() })
  },
)

it('lets in as many calls as its limit and tells when to come again', async () => {
  let now = NOW
  const { ask } = await apiUnderTest({ callLimit: { calls: 2, windowMs: 60_000 }, now: () => now })
  await ask('GET', '')
  await ask('GET', '')

  const refused = await ask('GET', '')
  now += 60_000
  const later = await ask('GET', '')

  expect(refused).toMatchObject({ status: 429, errors: [{ code: 10_429 }] })
  expect(refused.headers.get('retry-after')).toBe('60')
  expect(later.status).toBe(200)
  expect(HOSTED_CALL_LIMIT).toEqual({ calls: 1200, windowMs: 300_000 })
})

it('keeps what went wrong inside to itself, and tells its owner', async () => {
  const errors: unknown[] = []
  const { ask, store } = await apiUnderTest({ onError: (error) => errors.push(error) })
  store.onChange(() => Promise.reject(new Error('the inside')))

  const answer = await ask('PUT', `${TENANTS}/scripts/shop`, form())

  expect(answer).toMatchObject({ status: 500, errors: [{ code: 10_013, message: 'workers.api.error.unknown' }] })
  expect(errors).toEqual([new Error('the inside')])
})

describe('namespaces', () => {
  const all = '/workers/dispatch/namespaces'

  it('are paged', async () => {
    const { ask } = await apiUnderTest()
    for (const name of ['b', 'a']) await ask('POST', all, { name })

    const first = await ask('GET', `${all}?page=1&per_page=2`)
    const second = await ask('GET', `${all}?page=2&per_page=2`)

    expect(first.result).toMatchObject([{ namespace_name: 'a' }, { namespace_name: 'b' }])
    expect(second.result).toMatchObject([{ namespace_name: 'tenants', script_count: 0 }])
    expect(second.resultInfo).toEqual({ page: 2, per_page: 2, count: 1, total_count: 3, total_pages: 2 })
  })

  it.each([
    ['a page that is no number', 'GET', `${all}?page=x`, undefined, 10_001],
    ['a name that is taken', 'POST', all, { name: 'tenants' }, 100_121],
    ['a name with a slash', 'POST', all, { name: 'a/b' }, 10_016],
    ['a name that begins with a hyphen', 'POST', all, { name: '-a' }, 10_016],
    ['a long name', 'POST', all, { name: 'a'.repeat(256) }, 10_016],
    ['no name', 'POST', all, {}, 10_026],
    ['to rename what is not there', 'PUT', `${all}/gone`, { name: 'b' }, 100_119],
    ['to delete what is not there', 'DELETE', `${all}/gone`, undefined, 100_119],
    ['scripts of what is not there', 'GET', `${all}/gone/scripts`, undefined, 100_119],
  ])('refuse %s', async (_what, method, path, body, code) => {
    const { ask } = await apiUnderTest()

    expect(await ask(method, path, body)).toMatchObject({ success: false, errors: [{ code }] })
  })

  it('are not deleted while scripts are in them', async () => {
    const { ask, upload } = await apiUnderTest()
    await upload('shop', form())

    const refused = await ask('DELETE', TENANTS)
    await ask('DELETE', `${TENANTS}/scripts/shop`)
    const deleted = await ask('DELETE', TENANTS)

    expect(refused).toMatchObject({ status: 400, errors: [{ code: 100_122 }] })
    expect(deleted.status).toBe(200)
  })
})

describe('without a namespace in the path', () => {
  it('there is no Worker, unless a namespace stands for the account', async () => {
    const { ask, upload } = await apiUnderTest()
    await upload('shop', form())

    for (const path of ['/workers/scripts/shop/secrets', '/workers/services/shop', '/workers/scripts']) {
      expect(await ask('GET', path)).toMatchObject({ status: 404, errors: [{ code: 10_007 }] })
    }
  })

  it('a namespace that stands for the account answers, with the number wrangler knows for what is not there', async () => {
    const { ask, upload } = await apiUnderTest({ accountNamespace: 'tenants' })
    await upload('shop', form({ bindings: [{ type: 'secret_text', name: 'KEY', text: 'sesame' }] }))

    const secrets = await ask('GET', '/workers/scripts/shop/secrets')
    const service = await ask('GET', '/workers/services/shop')
    const absent = await ask('GET', '/workers/scripts/gone/secrets')

    expect(secrets.result).toEqual([{ name: 'KEY', type: 'secret_text' }])
    expect(service.result).toMatchObject({ default_environment: { script: { id: 'shop' } } })
    expect(absent).toMatchObject({ status: 404, errors: [{ code: 10_007 }] })
  })
})

describe('logs', () => {
  it('come as server-sent events until the reader leaves', async () => {
    const listeners = new Set<(event: object) => void>()
    const tail: TailSource = {
      subscribe(_namespace, _name, listener) {
        listeners.add(listener)
        return () => void listeners.delete(listener)
      },
    }
    const { upload, respond } = await apiUnderTest({ tail })
    await upload('shop', form())

    const url = `${base}/accounts/acc${TENANTS}/scripts/shop/logs`
    const response = await respond(new Request(url, { headers: { authorization: 'Bearer right' } }))
    for (const listener of listeners) listener({ outcome: 'ok' })
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    while (!text.endsWith('}\n\n')) text += (await reader?.read())?.value
    await reader?.cancel()

    expect(response.headers.get('content-type')).toContain('text/event-stream')
    expect(text).toBe(': connected\n\ndata: {"outcome":"ok"}\n\n')
    await vi.waitFor(() => expect(listeners.size).toBe(0))
  })

  it('are refused where nothing runs scripts', async () => {
    const { ask, upload } = await apiUnderTest()
    await upload('shop', form())

    expect(await ask('POST', `${TENANTS}/scripts/shop/tails`, { filters: [] })).toMatchObject({ status: 501 })
    expect(await ask('GET', `${TENANTS}/scripts/shop/logs`)).toMatchObject({ status: 501 })
  })

  it('are asked for and given up by an id of the same script', async () => {
    const { ask, upload } = await apiUnderTest({ tail: { subscribe: () => () => {} } })
    for (const name of ['shop', 'other']) await upload(name, form())

    const { result } = await ask('POST', `${TENANTS}/scripts/shop/tails`, { filters: [] })
    const { id } = Object(result)
    const foreign = await ask('DELETE', `${TENANTS}/scripts/other/tails/${id}`)
    const listed = await ask('GET', `${TENANTS}/scripts/shop/tails`)
    const ended = await ask('DELETE', `${TENANTS}/scripts/shop/tails/${id}`)

    expect(result).toMatchObject({ url: `ws://localhost/client/v4/tails/${id}`, expires_at: '2026-11-21T18:00:00.000Z' })
    expect(foreign.status).toBe(404)
    expect(listed.result).toEqual([result])
    expect(ended.status).toBe(200)
    expect((await ask('GET', `${TENANTS}/scripts/shop/tails`)).result).toEqual([])
  })
})
