import { describe, expect, it } from 'vitest'
import { person, propsOf, surroundings } from './harness.ts'

const MIB = 1_048_576
const reader = propsOf(['notes:*'])
const withHeader = { 'x-dotdo-call': JSON.stringify({ credential: 'header' }) }
const withCookie = { 'x-dotdo-call': JSON.stringify({ credential: 'cookie' }) }
const json = { 'Content-Type': 'application/json' }

async function ask(path: string, init?: RequestInit) {
  const { env, bound } = surroundings()
  const response = await bound(reader, path, init)
  return { env, status: response.status, body: (await response.json()) as { data: unknown; error: { code: string; details: { path: string }[] } } }
}

describe('path parameters', () => {
  it.each([
    ['/notes/a', 'a'],
    ['/notes/a/b/c', 'a/b/c'],
    ['/notes/a%2Fb', 'a/b'],
    ['/notes/a%252Fb', 'a%2Fb'],
    ['/notes/%C3%BC%20x', 'ü x'],
    ['/notes/a%3Fb', 'a?b'],
    ['/notes/%', '%'],
    ['/notes/a//b', 'a//b'],
    ['/notes/a/', 'a/'],
  ])('of %s: %j', async (path, id) => {
    const { env, bound } = surroundings()
    env.store.notes.set(id, { id, text: 'found' })

    const response = await bound(reader, path)

    expect(await response.json()).toEqual({ success: true, data: { id, text: 'found' } })
  })

  it.each([
    ['/revisions/a/7', { id: 'a', number: 7 }],
    ['/revisions/a%2Fb/7', { id: 'a/b', number: 7 }],
  ])('take the type that their schema asks for: %s', async (path, data) => {
    expect((await ask(path)).body).toEqual({ success: true, data })
  })

  it('that do not convert are refused by name', async () => {
    expect((await ask('/revisions/a/seven')).body.error).toMatchObject({ code: 'INVALID', details: [{ path: 'number' }] })
  })

  it('win over a query and a body that name the same field', async () => {
    expect((await ask('/revisions/a/7?number=8&id=b')).body.data).toEqual({ id: 'a', number: 7 })
  })
})

describe('a query string', () => {
  it.each([
    ['', { limit: 20, deep: false, sizes: [] }],
    ['?limit=5', { limit: 5, deep: false, sizes: [] }],
    ['?limit=5&limit=6', { limit: 6, deep: false, sizes: [] }],
    ['?deep=true', { limit: 20, deep: true, sizes: [] }],
    ['?deep=false', { limit: 20, deep: false, sizes: [] }],
    ['?tag=a', { limit: 20, deep: false, sizes: [], tag: ['a'] }],
    ['?tag=a&tag=5', { limit: 20, deep: false, sizes: [], tag: ['a', '5'] }],
    ['?sizes=1&sizes=2.5', { limit: 20, deep: false, sizes: [1, 2.5] }],
    ['?below=-3', { limit: 20, deep: false, sizes: [], below: -3 }],
    ['?filter=%7B%22by%22%3A%22me%22%7D', { limit: 20, deep: false, sizes: [], filter: { by: 'me' } }],
    ['?unknown=1', { limit: 20, deep: false, sizes: [] }],
    ['?constructor=1&toString=2&__proto__=3', { limit: 20, deep: false, sizes: [] }],
  ])('%s is read as %j', async (search, asked) => {
    expect((await ask(`/notes${search}`)).body).toEqual({ success: true, data: { asked } })
  })

  it.each([
    ['?limit=', 'limit'],
    ['?limit=ten', 'limit'],
    ['?limit=1e9', 'limit'],
    ['?limit=0', 'limit'],
    ['?limit=1.5', 'limit'],
    ['?limit=Infinity', 'limit'],
    ['?deep=1', 'deep'],
    ['?deep=TRUE', 'deep'],
    ['?sizes=1&sizes=x', 'sizes.1'],
    ['?filter=me', 'filter'],
    ['?filter=5', 'filter'],
  ])('%s is refused, naming %s', async (search, path) => {
    const { status, body } = await ask(`/notes${search}`)

    expect(status).toBe(400)
    expect(body.error).toMatchObject({ code: 'INVALID', details: [{ path }] })
  })

  it('of a command is refused where it names no field, so that a typo does not pass for success', async () => {
    const { env, body } = await ask('/notes/a?ifVerzion=3', { method: 'DELETE' })

    expect(body.error).toMatchObject({ code: 'INVALID', details: [{ path: 'ifVerzion', message: 'Unknown field' }] })
    expect(env.store.runs).toEqual([])
  })

  it.each([
    ['its query', '/notes/a/b?ifVersion=3', {}],
    ['its body', '/notes/a/b', { headers: json, body: '{"ifVersion":3}' }],
  ])('or a DELETE takes the rest of its input from %s', async (_, path, init) => {
    expect((await ask(path, { method: 'DELETE', ...init })).body.data).toEqual({ removed: 'a/b', ifVersion: 3 })
  })
})

describe('a body', () => {
  it.each(['application/json', 'application/json; charset=utf-8', 'APPLICATION/JSON', 'application/merge-patch+json'])(
    'of the type %s is read',
    async (type) => {
      expect((await ask('/notes', { method: 'POST', headers: { 'Content-Type': type }, body: '{"text":"Hi"}' })).status).toBe(201)
    },
  )

  it.each([
    ['as curl -d sends it, with a credential in a header', 201, { 'Content-Type': 'application/x-www-form-urlencoded', ...withHeader }],
    ['of no type, with a credential in a header', 201, withHeader],
    ['as curl -d sends it, with a cookie', 400, { 'Content-Type': 'application/x-www-form-urlencoded', ...withCookie }],
    ['as a foreign page can post it, with a cookie', 400, { 'Content-Type': 'text/plain', ...withCookie }],
    ['of a type that only begins like JSON, with a cookie', 400, { 'Content-Type': 'application/jsonp', ...withCookie }],
    ['of no JSON type, with no word of a credential', 400, { 'Content-Type': 'text/plain; application/json' }],
    ['of JSON, with a cookie', 201, { ...json, ...withCookie }],
  ])('%s gets %i', async (_, status, headers) => {
    const { body, ...answer } = await ask('/notes', { method: 'POST', headers, body: '{"text":"Hi"}' })

    expect(answer.status).toBe(status)
    if (status === 400) expect(body.error).toMatchObject({ code: 'INVALID', details: [{ path: 'Content-Type', message: 'must be application/json' }] })
  })

  it.each(['{"text":', '{text:1}', 'text=Hi', 'undefined', '\u0000'])('of broken JSON (%j) is refused', async (body) => {
    const answer = await ask('/notes', { method: 'POST', headers: json, body })

    expect([answer.status, answer.body.error]).toEqual([
      400,
      expect.objectContaining({ code: 'INVALID', message: 'The body is not JSON', details: [{ path: '', message: 'is not JSON' }] }),
    ])
  })

  it.each(['[]', '[{"text":"Hi"}]', '5', '"text"', 'null', 'true'])('of JSON that is no object (%s) is refused', async (body) => {
    const answer = await ask('/notes', { method: 'POST', headers: json, body })

    expect(answer.body.error).toMatchObject({ code: 'INVALID', message: 'The body must be a JSON object' })
  })

  it.each([
    ['{"text":"Hi","txet":1}', 'txet'],
    ['{"text":"Hi","__proto__":{"admin":true}}', '__proto__'],
    ['{"text":"Hi","constructor":1}', 'constructor'],
    ['{"text":["Hi"]}', 'text'],
    ['{}', 'text'],
    ['', 'text'],
  ])('%s is refused, naming %s', async (body, path) => {
    expect((await ask('/notes', { method: 'POST', headers: json, body })).body.error).toMatchObject({ code: 'INVALID', details: [{ path }] })
  })

  it('of a GET is not looked at', async () => {
    expect((await ask('/notes', { headers: { 'Content-Length': String(2 * MIB) } })).status).toBe(200)
  })
})

describe('the limit of a body', () => {
  /** A body of so many bytes that says how many were read of it, since a stream announces no length. */
  function unannounced(sizeBytes: number) {
    const chunk = new Uint8Array(65_536).fill(32)
    const read = { bytes: 0 }
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (read.bytes >= sizeBytes) return controller.close()
        read.bytes += chunk.byteLength
        controller.enqueue(chunk)
      },
    })
    return { read, init: { method: 'POST', headers: json, body, duplex: 'half' } as RequestInit }
  }

  it.each([
    [201, MIB],
    [413, MIB + 1],
    [413, 2 * MIB],
  ])('answers %i to %i announced bytes', async (status, sizeBytes) => {
    const text = '{"text":"Hi"}'.padEnd(sizeBytes)
    const headers = { ...json, 'Content-Length': String(sizeBytes) }

    expect((await ask('/notes', { method: 'POST', headers, body: text })).status).toBe(status)
  })

  it('refuses what is announced too large without reading it', async () => {
    const { read, init } = unannounced(2 * MIB)
    const before = read.bytes

    const { status, body } = await ask('/notes', { ...init, headers: { ...json, 'Content-Length': String(2 * MIB) } })

    expect([status, body.error.code]).toEqual([413, 'TOO_LARGE'])
    expect(read.bytes - before).toBeLessThanOrEqual(65_536) // a stream fills its own queue by one chunk, unasked
  })

  it('refuses what is not announced as soon as it is too large', async () => {
    const { read, init } = unannounced(8 * MIB)

    const { status, body } = await ask('/notes', init)

    expect([status, body.error.code]).toEqual([413, 'TOO_LARGE'])
    expect(read.bytes).toBeLessThan(2 * MIB)
  })

  it('reads text that is cut between the bytes of a character', async () => {
    const [first, second] = [Uint8Array.of(...new TextEncoder().encode('{"text":"'), 0xc3), Uint8Array.of(0xbc, ...new TextEncoder().encode('"}'))]
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(first)
        controller.enqueue(second)
        controller.close()
      },
    })

    expect((await ask('/notes', { method: 'POST', headers: json, body, duplex: 'half' } as RequestInit)).body.data).toMatchObject({ text: 'ü' })
  })

  it('is what the operation says', async () => {
    const body = JSON.stringify({ text: 'a'.repeat(2 * MIB) })

    expect((await ask('/import', { method: 'PUT', headers: json, body })).body.data).toEqual({ length: 2 * MIB })
    expect((await ask('/import', { method: 'PUT', headers: json, body: body.padEnd(3_000_001) })).status).toBe(413)
  })

  it('is not even reached by a stranger', async () => {
    const { bound } = surroundings()
    const { read, init } = unannounced(2 * MIB)

    const response = await bound(propsOf([]), '/notes', init)

    expect(response.status).toBe(403)
    expect(read.bytes).toBeLessThanOrEqual(65_536)
  })

  it('holds for someone spoken for as well', async () => {
    const { bound } = surroundings()
    const headers = { 'Content-Length': String(2 * MIB), 'x-dotdo-call': JSON.stringify({ onBehalfOf: person('key_a', ['*']), credential: 'header' }) }

    const response = await bound(propsOf([], ['*']), '/notes', { method: 'POST', headers, body: '{}'.padEnd(2 * MIB) })

    expect(response.status).toBe(413)
  })
})
