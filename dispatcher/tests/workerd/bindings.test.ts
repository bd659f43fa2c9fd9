import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'

const { ACME_KV, RIVAL_KV, NOBODYS_KV, ACME_BUCKET, RIVAL_BUCKET, NOBODYS_BUCKET, NOBODYS_DB, NOBODYS_SIBLING } = env

describe('a worker’s kv binding', () => {
  it('keeps what it is given, as text, JSON or bytes', async () => {
    await ACME_KV.put('a/b', '{"n":1}')
    await ACME_KV.put('bytes', new Uint8Array([1, 2]).buffer, { expirationTtl: 60 })

    expect(await ACME_KV.get('a/b')).toBe('{"n":1}')
    expect(await ACME_KV.get('a/b', 'json')).toEqual({ n: 1 })
    expect(new Uint8Array((await ACME_KV.get('bytes', 'arrayBuffer')) as ArrayBuffer)).toEqual(new Uint8Array([1, 2]))
    await ACME_KV.delete('a/b')
    expect(await ACME_KV.get('a/b')).toBeNull()
  })

  it('sees and touches nothing of another tenant’s', async () => {
    await ACME_KV.put('mine', 'of acme')

    expect(await RIVAL_KV.get('mine')).toBeNull()
    for (const key of ['../acme/mine', '/acme/mine', 'acme/mine']) expect(await RIVAL_KV.get(key)).toBeNull()
    await RIVAL_KV.delete('mine')
    expect(await RIVAL_KV.list()).toEqual({ keys: [], cursor: null })
    expect(await ACME_KV.get('mine')).toBe('of acme')
  })

  it('lists its keys by their beginning, a page at a time', async () => {
    for (const key of ['p/1', 'p/2', 'p/3', 'q']) await ACME_KV.put(key, key)

    const first = await ACME_KV.list({ prefix: 'p/', limit: 2 })
    const second = await ACME_KV.list({ prefix: 'p/', limit: 2, cursor: first.cursor })

    expect([...first.keys, ...second.keys].map(({ name }) => name)).toEqual(['p/1', 'p/2', 'p/3'])
    expect(second.cursor).toBeNull()
  })

  it.each<[what: string, call: () => Promise<unknown>, path: string]>([
    ['no key', async () => ACME_KV.get(''), 'key'],
    ['a key that is no text', async () => ACME_KV.get(7), 'key'],
    ['a key too long', async () => ACME_KV.put('ä'.repeat(225), ''), 'key'],
    ['a value that cannot be kept', async () => ACME_KV.put('a', { n: 1 }), 'value'],
    ['a lifetime too short', async () => ACME_KV.put('a', '', { expirationTtl: 1 }), 'options.expirationTtl'],
    ['an option that is none', async () => ACME_KV.put('a', '', { ttl: 60 }), 'options.ttl'],
    ['a type that is none', async () => ACME_KV.get('a', 'xml'), 'type'],
    ['too many at a time', async () => ACME_KV.list({ limit: 1001 }), 'options.limit'],
  ])('refuses %s, naming it', async (_what, call, path) => {
    await expect(call()).rejects.toMatchObject({ code: 'INVALID', details: [expect.objectContaining({ path })] })
  })
})

describe('a worker’s bucket binding', () => {
  it('keeps objects with what is known of them', async () => {
    const put = await ACME_BUCKET.put('a/b.txt', 'content', { contentType: 'text/plain', metadata: { by: 'me' } })

    expect(put).toMatchObject({ key: 'a/b.txt', sizeBytes: 7, contentType: 'text/plain', metadata: { by: 'me' } })
    expect(await ACME_BUCKET.head('a/b.txt')).toEqual(put)
    const found = await ACME_BUCKET.get('a/b.txt')
    expect(found).toMatchObject({ key: 'a/b.txt', etag: put.etag })
    expect(await found?.text()).toBe('content')
    expect(await new Response(found?.body).text()).toBe('content')
    await ACME_BUCKET.delete('a/b.txt')
    expect(await ACME_BUCKET.get('a/b.txt')).toBeNull()
  })

  it('takes and gives streams', async () => {
    const sizeBytes = 1_000_000
    const { readable, writable } = new FixedLengthStream(sizeBytes)
    const writer = writable.getWriter()
    const written = writer.write(new Uint8Array(sizeBytes).fill(7)).then(() => writer.close())

    await ACME_BUCKET.put('large', readable, { sizeBytes })
    await written

    const bytes = new Uint8Array(await new Response((await ACME_BUCKET.get('large'))?.body).arrayBuffer())
    expect([bytes.length, bytes.every((byte) => byte === 7)]).toEqual([sizeBytes, true])
  })

  it('sees and touches nothing of another tenant’s', async () => {
    await ACME_BUCKET.put('mine', 'of acme')

    expect(await RIVAL_BUCKET.get('mine')).toBeNull()
    expect(await RIVAL_BUCKET.head('../acme/mine')).toBeNull()
    await RIVAL_BUCKET.delete('mine')
    expect(await RIVAL_BUCKET.list()).toEqual({ objects: [], cursor: null })
    expect(await ACME_BUCKET.head('mine')).toMatchObject({ key: 'mine' })
  })

  it('lists its objects by their beginning, a page at a time', async () => {
    for (const key of ['p/1', 'p/2', 'p/3', 'q']) await ACME_BUCKET.put(key, key)

    const first = await ACME_BUCKET.list({ prefix: 'p/', limit: 2 })
    const second = await ACME_BUCKET.list({ prefix: 'p/', limit: 2, cursor: first.cursor })

    expect([...first.objects, ...second.objects].map(({ key }) => key)).toEqual(['p/1', 'p/2', 'p/3'])
    expect(second.cursor).toBeNull()
  })

  it.each<[what: string, call: () => Promise<unknown>, path: string]>([
    ['no key', async () => ACME_BUCKET.head(undefined), 'key'],
    ['a value that cannot be kept', async () => ACME_BUCKET.put('a', 7), 'value'],
    ['a stream of unknown length', async () => ACME_BUCKET.put('a', new Response('a').body), 'options.sizeBytes'],
    ['metadata that is no text', async () => ACME_BUCKET.put('a', '', { metadata: { n: 1 } }), 'options.metadata.n'],
  ])('refuses %s, naming it', async (_what, call, path) => {
    await expect(call()).rejects.toMatchObject({ code: 'INVALID', details: [expect.objectContaining({ path })] })
  })
})

describe('a binding that deploy did not make', () => {
  it.each<[what: string, call: () => Promise<unknown>]>([
    ['values', async () => NOBODYS_KV.get('mine')],
    ['objects', async () => NOBODYS_BUCKET.head('mine')],
    ['things', async () => NOBODYS_DB['list']?.({})],
    ['siblings', async () => NOBODYS_SIBLING['add']?.(1, 2)],
  ])('gives no %s', async (_what, call) => {
    await expect(call()).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })
})
