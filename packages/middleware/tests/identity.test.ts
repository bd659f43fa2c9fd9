import type { Principal } from '@dot-do/worker-types'
import { ServiceError } from '@dot-do/worker-utils'
import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { auth, type AuthVariables, readCredential } from '../src/auth.ts'
import { errorAnswer, errorHandler } from '../src/error-handler.ts'
import { logger } from '../src/logger.ts'
import { requestId, requestIdOf, type RequestIdVariables } from '../src/request-id.ts'

const alice: Principal = { id: 'user_alice', kind: 'user', tenant: 'default', permissions: ['*'] }

describe('readCredential', () => {
  it.each([
    [{ Authorization: 'Bearer abc' }, { scheme: 'bearer', token: 'abc' }],
    [{ Authorization: 'bearer  abc' }, { scheme: 'bearer', token: 'abc' }],
    [{ Authorization: 'Bearer' }, { scheme: 'bearer', token: '' }],
    [
      { Authorization: 'Bearer a', 'X-API-Key': 'b', Cookie: '__Host-session=c' },
      { scheme: 'bearer', token: 'a' },
    ],
    [
      { 'X-API-Key': 'b', Cookie: '__Host-session=c' },
      { scheme: 'key', token: 'b' },
    ],
    [
      { Authorization: 'Basic abc', 'X-API-Key': 'b' },
      { scheme: 'key', token: 'b' },
    ],
    [{ Cookie: 'a=1; __Host-session=c=; b=2' }, { scheme: 'cookie', token: 'c=' }],
    [{ Cookie: 'x__Host-session=c' }, undefined],
    [{}, undefined],
  ])('in %j finds %j', (headers, credential) => {
    expect(readCredential(new Headers(Object.entries(headers)))).toEqual(credential)
  })
})

describe('auth', () => {
  const verify = async (token: string) => (token === 'good' ? alice : undefined)
  function app(required: boolean) {
    const hono = new Hono<{ Variables: AuthVariables }>()
    hono.onError(errorHandler())
    hono.use(auth({ verify, required }))
    return hono.get('/', (c) => c.text(c.var.principal.id))
  }

  it.each([
    ['a good key', true, { 'X-API-Key': 'good' }, 200],
    ['a good token', true, { Authorization: 'Bearer good' }, 200],
    ['a bad token', true, { Authorization: 'Bearer bad' }, 401],
    ['no credential', true, {}, 401],
    ['a cookie', true, { Cookie: '__Host-session=good' }, 401],
    ['no credential where none is required', false, {}, 200],
    ['a bad token where none is required', false, { Authorization: 'Bearer bad' }, 401],
  ])('answers %s (required: %s)', async (_, required, headers, status) => {
    const answer = await app(required).request('/', { headers })

    expect(answer.status).toBe(status)
    expect(answer.headers.get('WWW-Authenticate')).toBe(status === 401 ? 'Bearer' : null)
  })

  it('calls an asker without credential anonymous, and gives it nothing', async () => {
    const answer = await app(false).request('/')

    expect(await answer.text()).toBe('anonymous')
  })
})

describe('requestId', () => {
  const app = new Hono<{ Variables: RequestIdVariables }>()
  app.use(requestId())
  app.get('/', (c) => c.text(c.var.requestId))
  app.get('/frozen', () => Response.redirect('https://example.com/'))

  it.each(['abc', 'A.b_c-1', 'x'.repeat(128)])('keeps %j', async (id) => {
    const answer = await app.request('/', { headers: { 'X-Request-ID': id } })

    expect(answer.headers.get('X-Request-ID')).toBe(id)
    expect(await answer.text()).toBe(id)
  })

  it.each(['', 'a b', 'a"b', 'x'.repeat(129), 'ü'])('makes one of its own instead of %j', (id) => {
    expect(requestIdOf(new Headers({ 'X-Request-ID': id }))).toMatch(/^req_[0-9a-z]{26}$/)
  })

  it('marks an answer whose headers are frozen', async () => {
    const answer = await app.request('/frozen', { headers: { 'X-Request-ID': 'abc' } })

    expect([answer.status, answer.headers.get('Location'), answer.headers.get('X-Request-ID')]).toEqual([302, 'https://example.com/', 'abc'])
  })
})

describe('errorAnswer', () => {
  it('answers with the envelope, kept by no cache', async () => {
    const answer = errorAnswer(new ServiceError('CONFLICT', 'Taken', { cause: new Error('hunter2') }), 'req_1')

    expect([answer.status, answer.headers.get('Cache-Control')]).toEqual([409, 'no-store'])
    expect(await answer.json()).toEqual({ success: false, error: { code: 'CONFLICT', message: 'Taken', requestId: 'req_1' } })
  })

  it('says nothing of a stranger', async () => {
    const answer = errorAnswer(new TypeError('hunter2'))

    expect(answer.status).toBe(500)
    expect(await answer.text()).not.toMatch(/hunter2|stack|\bat\b/)
  })
})

describe('errorHandler and logger', () => {
  function recorded() {
    const lines: unknown[] = []
    let time = 0
    const app = new Hono<{ Variables: RequestIdVariables }>()
    const write = (level: string, event: string, fields?: Record<string, unknown>) => void lines.push({ level, event, ...fields })
    app.onError(errorHandler(write))
    app.use(requestId(), logger({ write, now: () => (time += 5) }))
    return { app, lines }
  }

  it('write one line for a request, without its query', async () => {
    const { app, lines } = recorded()
    app.get('/things/:id', (c) => c.text('ok'))

    await app.request('/things/a?token=hunter2', { headers: { 'X-Request-ID': 'r1' } })

    expect(lines).toEqual([{ level: 'info', event: 'request', method: 'GET', path: '/things/a', status: 200, durationMs: 5, requestId: 'r1' }])
  })

  it('log the cause of what is our fault, and answer without it', async () => {
    const { app, lines } = recorded()
    const failure = new TypeError('hunter2')
    app.get('/', () => {
      throw failure
    })

    const answer = await app.request('/', { headers: { 'X-Request-ID': 'r1' } })

    expect(await answer.json()).toEqual({ success: false, error: { code: 'INTERNAL', message: 'Something went wrong on our side', requestId: 'r1' } })
    expect(lines).toMatchObject([
      { level: 'error', event: 'request_failed', requestId: 'r1', code: 'INTERNAL', cause: failure },
      { level: 'warn', event: 'request', status: 500 },
    ])
  })

  it("leave an asker's own mistake at the one line", async () => {
    const { app, lines } = recorded()
    app.get('/', () => {
      throw new ServiceError('NOT_FOUND', 'None')
    })

    await app.request('/')

    expect(lines).toMatchObject([{ level: 'info', event: 'request', status: 404 }])
  })
})
