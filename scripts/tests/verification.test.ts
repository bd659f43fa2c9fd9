import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { auth } from '@dot-do/worker-contracts/auth'
import { gateway } from '@dot-do/worker-contracts/gateway'
import { afterEach, expect, it } from 'vitest'
import { questionsFor, verify } from '../verification.ts'

const REFUSED = { status: 401, body: { success: false, error: { code: 'UNAUTHENTICATED', message: 'Send an API key' } } }
const healthy = (status: string, checks: object = {}) => ({ status: status === 'error' ? 503 : 200, body: { success: true, data: { status, checks } } })

/** What a deployment in order answers, by path; everything else refuses. */
const IN_ORDER: Record<string, { status: number; body: unknown }> = {
  '/health': healthy('ok'),
  '/auth/health': healthy('ok'),
  '/openapi.json': { status: 200, body: { openapi: '3.1.1', paths: { '/health': {}, '/auth/health': {}, '/auth/apikeys': {} } } },
}

let server: Server | undefined
let asked: string[] = []

/** A deployment that answers as told, the first time and ever after. */
async function deployment(answers: Record<string, { status: number; body: unknown }[]>): Promise<string> {
  asked = []
  server = createServer((request, response) => {
    const path = String(request.url)
    const left = answers[path]
    const answer = (left && left.length > 1 ? left.shift() : left?.[0]) ?? IN_ORDER[path] ?? REFUSED
    asked.push(path)
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body))
  })
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

afterEach(() => void server?.close())

const questions = questionsFor([gateway, auth])

it('asks every service for its health and at a door, and for the document', async () => {
  const verdicts = await verify(await deployment({}), questions, 0)

  expect(verdicts.filter(({ ok }) => !ok)).toEqual([])
  expect(verdicts.map(({ check }) => check)).toEqual(['gateway: health', 'auth: health', 'openapi.json', 'gateway: strangers', 'auth: strangers'])
  expect(asked).toContain('/_routes')
})

const WRONG: [what: string, path: string, status: number, body: unknown, check: string, message: string][] = [
  [
    'a service that fails',
    '/auth/health',
    503,
    { success: true, data: { status: 'error', checks: { db: { status: 'error', message: 'No answer within 3 s' } } } },
    'auth: health',
    'error; db: No answer within 3 s',
  ],
  ['a page of somebody else', '/auth/health', 200, { hello: 'world' }, 'auth: health', 'the answer is no health'],
  [
    'a service that is not routed to',
    '/auth/health',
    404,
    { success: false, error: { code: 'NOT_FOUND', message: 'Nothing is here' } },
    'auth: health',
    'Nothing is here',
  ],
  ['a document without a service', '/openapi.json', 200, { paths: { '/health': {} } }, 'openapi.json', 'nothing of auth'],
  ['an open door', '/_routes', 200, { success: true, data: { routes: [] } }, 'gateway: strangers', 'let in without a key'],
  ['a door that is no door', '/_routes', 404, { success: false, error: { code: 'NOT_FOUND' } }, 'gateway: strangers', 'answered NOT_FOUND'],
]

it.each(WRONG)('finds %s', async (_what, path, status, body, check, message) => {
  const verdicts = await verify(await deployment({ [path]: [{ status, body }] }), questions, 0)

  expect(verdicts.filter(({ ok }) => !ok)).toEqual([{ check, path, ok: false, status, message }])
})

it('tells what is degraded, which works', async () => {
  const ailing = {
    status: 200,
    body: { success: true, data: { status: 'degraded', checks: { db: { status: 'ok' }, mail: { status: 'degraded', message: 'no key' } } } },
  }

  const verdicts = await verify(await deployment({ '/auth/health': [ailing] }), questions, 0)

  expect(verdicts[1]).toEqual({ check: 'auth: health', path: '/auth/health', ok: true, status: 200, message: 'degraded; mail: no key' })
})

it('asks again what is not there yet, and nothing else', async () => {
  const url = await deployment({ '/auth/health': [{ status: 503, body: {} }, healthy('ok')] })

  const verdicts = await verify(url, questions, 5_000)

  expect(verdicts.filter(({ ok }) => !ok)).toEqual([])
  expect(asked.filter((path) => path === '/auth/health')).toHaveLength(2)
  expect(asked.filter((path) => path === '/health')).toHaveLength(1)
})

it('says why there is no answer', async () => {
  const [verdict] = await verify('http://127.0.0.1:1', questions, 0)

  expect(verdict).toMatchObject({ ok: false, message: expect.stringMatching(/^no answer: (connect ECONNREFUSED|bad port)/) })
})
