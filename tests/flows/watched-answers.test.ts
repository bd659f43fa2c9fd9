import { request } from 'undici'
import { beforeAll, describe, expect, inject, it } from 'vitest'
import { makeKey } from './client.ts'
import { publish, workerName } from './publisher.ts'

const { port } = inject('platform')

/** Answers of every sort that a body can have. */
const ANSWERS = `
const TEXT = 'x'.repeat(200_000)
export default { async fetch(request) {
  const { pathname } = new URL(request.url)
  if (pathname === '/empty') return new Response(null, { status: 204 })
  if (pathname === '/short') return Response.json({ short: true })
  if (pathname === '/long') return new Response(new Uint8Array(10_000_000).fill(120))
  if (pathname === '/stream') return new Response(new Response(TEXT).body.pipeThrough(new TransformStream()))
  return new Response(TEXT, { status: 418, headers: { 'X-Own': 'kept' } })
} }`

const name = workerName()
let key: string

beforeAll(async () => {
  await publish(name, ANSWERS)
  key = (await makeKey({ permissions: ['things:read'] })).key
})

/** Asks the worker with a key of the platform's, so that what comes back is watched. */
async function ask(path: string, method: 'GET' | 'HEAD' = 'GET') {
  const headers = { host: `${name}.do.localhost:${port}`, authorization: `Bearer ${key}` }
  const answer = await request(`http://127.0.0.1:${port}${path}`, { method, headers })
  return { status: answer.statusCode, headers: answer.headers, text: await answer.body.text() }
}

describe('an answer that is cut when its asker’s key dies', () => {
  it.each([
    ['/empty', 204, 0],
    ['/short', 200, 14],
    ['/long', 200, 10_000_000],
    ['/stream', 200, 200_000],
    ['/other', 418, 200_000],
  ])('is the same as any other until then: %s', async (path, status, length) => {
    const answer = await ask(path)

    expect([answer.status, answer.text.length]).toEqual([status, length])
    if (path === '/other') expect(answer.headers['x-own']).toBe('kept')
  })

  it('has no body where only its head was asked for', async () => {
    expect(await ask('/other', 'HEAD')).toMatchObject({ status: 418, text: '' })
  })
})
