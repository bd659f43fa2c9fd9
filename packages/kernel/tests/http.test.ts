import { http } from '@dot-do/worker-kernel/http'
import { platform } from '@dot-do/worker-kernel/platform'
import type { Principal } from '@dot-do/worker-types'
import { generateApiKey } from '@dot-do/worker-utils'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { person, propsOf, service, surroundings } from './harness.ts'
import { notesService, type NotesEnv } from './notes.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const traceparent = `00-${TRACE}-00f067aa0ba902b7-01`
const reader = propsOf(['notes:read'])
const alice: Principal = { ...person('user_alice', ['notes:read', 'keys:write']), kind: 'user' }

function saying(call: unknown): RequestInit {
  return { headers: { 'x-dotdo-call': typeof call === 'string' ? call : JSON.stringify(call) } }
}

describe('an answer', () => {
  it('is in the envelope, with the status the contract gives it and an id of the request', async () => {
    const { bound } = surroundings()
    const init = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"text":"Hi"}' }

    const response = await bound(propsOf(['notes:write']), '/notes', init)

    expect([response.status, response.headers.get('Content-Type')]).toEqual([201, 'application/json'])
    expect(response.headers.get('X-Request-ID')).toMatch(/^req_[0-9a-z]{26}$/)
    expect(await response.json()).toEqual({ success: true, data: { id: 'note_1', text: 'Hi' } })
  })

  it.each([
    ['a route that is not there', '/nowhere', 404, 'NOT_FOUND'],
    ['a method that is not there', '/health', 404, 'NOT_FOUND'],
    ['a thing that is not there', '/notes/none', 404, 'NOT_FOUND'],
    ['an input that does not fit', '/breaks/badly', 400, 'INVALID'],
    ['a failure of a provider', '/breaks/upstream', 502, 'UPSTREAM'],
    ['a failure of ours', '/breaks/stranger', 500, 'INTERNAL'],
  ])('to %s is in the envelope too, kept by no cache, without stack or cause', async (_, path, status, code) => {
    const { bound } = surroundings()
    const spy = vi.spyOn(console, 'error').mockReturnValue()
    onTestFinished(() => spy.mockRestore())

    const response = await bound(reader, path, { method: path === '/health' ? 'POST' : 'GET', headers: { 'X-Request-ID': 'r-1' } })

    const text = await response.text()
    expect([response.status, response.headers.get('X-Request-ID'), response.headers.get('Cache-Control')]).toEqual([status, 'r-1', 'no-store'])
    expect(JSON.parse(text)).toMatchObject({ success: false, error: { code, requestId: 'r-1' } })
    expect(text).not.toMatch(/hunter2|stack|cause/)
  })

  it('to HEAD is that to GET, without the body', async () => {
    const { bound } = surroundings()

    const response = await bound(reader, '/notes', { method: 'HEAD' })

    expect([response.status, response.headers.get('Content-Type'), await response.text()]).toEqual([200, 'application/json', ''])
  })

  it('gives the document to anyone', async () => {
    const { platform } = surroundings()

    expect(await (await platform('/openapi.json')).json()).toEqual(service.document)
  })

  it.each([
    ['ok', 200],
    ['error', 503],
  ] as const)('of health %s has the status %i', async (status, expected) => {
    const { env } = surroundings()
    const ailing = { ...notesService((notes: NotesEnv) => notes.store, service.document) }
    ailing.operations = { ...ailing.operations, health: () => ({ status, service: 'notes', version: '1', checks: {} }) }

    const response = await http(ailing).fetch(new Request('http://notes.do/health'), { env, waitUntil: () => undefined })

    expect([response.status, await response.json()]).toMatchObject([expected, { success: true, data: { status } }])
  })
})

describe('a request', () => {
  it.each([
    ['the header', { 'X-Request-ID': 'r-1' }, 'r-1'],
    ["the caller's word, which wins", { 'X-Request-ID': 'r-1', 'x-dotdo-call': '{"requestId":"r-2"}' }, 'r-2'],
  ])('at a binding’s door has its id from %s', async (_, headers, requestId) => {
    const { bound } = surroundings()

    const response = await bound(reader, '/me', { headers })

    expect(response.headers.get('X-Request-ID')).toBe(requestId)
    expect(await response.json()).toMatchObject({ data: { requestId, via: 'http' } })
  })

  it.each([
    ['its header', { traceparent }],
    ["the caller's word", { 'x-dotdo-call': JSON.stringify({ traceparent }) }],
  ])('carries on the trace of %s with a span of its own', async (_, headers) => {
    const { bound } = surroundings()

    const { data } = (await (await bound(reader, '/me', { headers })).json()) as { data: { traceparent: string } }

    expect(data.traceparent).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`))
    expect(data.traceparent).not.toBe(traceparent)
  })

  it('with a key is answered once', async () => {
    const { env, bound } = surroundings()
    const init = { method: 'POST', headers: { 'Content-Type': 'application/json', 'Idempotency-Key': 'k' }, body: '{"text":"Hi"}' }

    const answers = [await bound(propsOf(['*']), '/notes', init), await bound(propsOf(['*']), '/notes', init)]

    expect(await Promise.all(answers.map((answer) => answer.json()))).toEqual(Array(2).fill({ success: true, data: { id: 'note_1', text: 'Hi' } }))
    expect(env.store.runs).toEqual(['create Hi'])
  })
})

describe("a binding's door", () => {
  it.each([
    ['no props', {}, 401],
    ['props without the permission', propsOf(['keys:read']), 403],
    ['props with it', reader, 200],
  ])('goes by the binding: %s', async (_, props, status) => {
    const { bound } = surroundings()

    expect((await bound(props, '/notes')).status).toBe(status)
  })

  it('looks at no bare credential', async () => {
    const { bound } = surroundings()

    const response = await bound({}, '/notes', { headers: { Authorization: `Bearer ${generateApiKey('test')}` } })

    expect(response.status).toBe(401)
  })

  it('honours who the caller speaks for, within what the binding may delegate', async () => {
    const { bound } = surroundings()

    const response = await bound(propsOf(['*'], ['notes:*']), '/me', saying({ onBehalfOf: alice }))

    expect(await response.json()).toMatchObject({ data: { id: 'user_alice', kind: 'user', permissions: ['notes:read'] } })
  })

  it.each<[string, unknown, unknown]>([
    ['without the right to delegate', propsOf(['*']), { onBehalfOf: alice }],
    ['for a service', propsOf(['*'], ['*']), { onBehalfOf: { ...alice, kind: 'service' } }],
    ['for something that is no principal', propsOf(['*'], ['*']), { onBehalfOf: 'user_alice' }],
    ['for null', propsOf(['*'], ['*']), { onBehalfOf: null }],
  ])('refuses to hear a caller speak %s, even for what is public', async (_, props, call) => {
    const { bound } = surroundings()

    const response = await bound(props, '/health', { headers: { ...saying(call).headers, 'X-Request-ID': 'r-1' } })

    expect([response.status, response.headers.get('X-Request-ID')]).toEqual([403, 'r-1'])
    expect(await response.json()).toMatchObject({ error: { code: 'FORBIDDEN', requestId: 'r-1' } })
  })

  it('refuses a word that is not JSON', async () => {
    const { bound } = surroundings()

    expect(await (await bound(reader, '/notes', saying('{broken'))).json()).toMatchObject({ error: { code: 'INVALID', message: 'x-dotdo-call is not JSON' } })
  })
})

describe("the platform's door", () => {
  it.each([
    ['to be somebody', { onBehalfOf: { ...alice, permissions: ['*'] } }],
    ['to hold a header credential', { credential: 'header', onBehalfOf: alice }],
    ['nothing readable', '{broken'],
  ])('does not listen when a request says %s', async (_, call) => {
    const { platform } = surroundings()

    expect((await platform('/notes', saying(call))).status).toBe(401)
    expect((await platform('/health', saying(call))).status).toBe(200)
  })

  it('keeps what is said of the request itself to the headers everyone may send', async () => {
    const { platform } = surroundings()

    const response = await platform('/health', { headers: { 'X-Request-ID': 'r-1', 'x-dotdo-call': '{"requestId":"r-2"}' } })

    expect(response.headers.get('X-Request-ID')).toBe('r-1')
  })

  it('knows a bare credential by asking auth', async () => {
    const { platform } = surroundings()
    const AUTH_SERVICE = { verifyKey: async () => ({ valid: true, principal: alice }) }

    const response = await platform('/me', { headers: { 'X-API-Key': generateApiKey('test') } }, { AUTH_SERVICE, KEY_MODE: 'test' })

    expect(await response.json()).toMatchObject({ data: { id: 'user_alice', permissions: alice.permissions } })
  })

  it('refuses a credential that does not hold, also where none is needed, and marks the answer', async () => {
    const { platform } = surroundings()

    const response = await platform('/health', { headers: { Authorization: 'Bearer nonsense', 'X-Request-ID': 'r-1' } }, { KEY_MODE: 'test' })

    expect([response.status, response.headers.get('X-Request-ID'), response.headers.get('WWW-Authenticate')]).toEqual([
      401,
      'r-1',
      'Bearer error="invalid_token"',
    ])
    expect(await response.json()).toMatchObject({ error: { code: 'UNAUTHENTICATED', requestId: 'r-1' } })
  })

  it.each([
    [201, 'with a key in a header', { 'X-API-Key': generateApiKey('test') }],
    [401, 'with a cookie', { Cookie: '__Host-session=abc' }],
    [401, 'with nothing', {}],
  ])('answers %i to curl -d %s', async (status, _, headers: Record<string, string>) => {
    const { platform } = surroundings()
    const env = { KEY_MODE: 'test', AUTH_SERVICE: { verifyKey: async () => ({ valid: true, principal: person('key_a', ['*']) }) } }

    const response = await platform(
      '/notes',
      { method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers }, body: '{"text":"Hi"}' },
      env,
    )

    expect(response.status).toBe(status)
  })

  it('reads a public body from anyone, but not as a foreign page would post it', async () => {
    const { platform } = surroundings()
    const post = (type: string) => platform('/announcements', { method: 'POST', headers: { 'Content-Type': type }, body: '{"text":"Hi"}' })

    expect([(await post('application/json')).status, (await post('text/plain')).status]).toEqual([200, 400])
  })

  it('is a plain object with no more than it was given', () => {
    const queue = vi.fn()

    expect(Object.keys(platform(service, { queue }))).toEqual(['fetch', 'queue'])
    expect(Object.keys(platform(service))).toEqual(['fetch'])
  })
})
