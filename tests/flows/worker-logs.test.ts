import { request } from 'undici'
import { describe, expect, inject, it, vi } from 'vitest'
import { ask, makeKey } from './client.ts'
import { publish, visit, workerName } from './publisher.ts'

const { url, adminKey } = inject('platform')

const TALKS = `export default { fetch(request) {
  const { pathname } = new URL(request.url)
  console.log('asked for', pathname)
  if (pathname === '/throw') throw new Error('it broke')
  return new Response('ok')
} }`

/** Listens to a worker's logs until the test ends; what was heard so far. */
async function listen(path: string, key: string): Promise<{ status: number; heard(): string; stop(): void }> {
  const controller = new AbortController()
  const answer = await request(url.replace('localhost', '127.0.0.1') + path, { headers: { authorization: `Bearer ${key}` }, signal: controller.signal })
  let text = ''
  void (async () => {
    for await (const chunk of answer.body) text += String(chunk)
  })().catch(() => undefined)
  return { status: answer.statusCode, heard: () => text, stop: () => controller.abort() }
}

describe('a published worker’s logs', () => {
  it('are heard as they are written: what it says, and what it throws', async () => {
    const name = workerName()
    await publish(name, TALKS)
    const logs = await listen(`/deploy/logs?service=${name}`, adminKey)
    expect(logs.status).toBe(200)

    await vi.waitFor(
      async () => {
        await visit(`${name}.do`, '/hello')
        expect(logs.heard()).toContain('asked for /hello')
      },
      { timeout: 10_000, interval: 200 },
    )
    await visit(`${name}.do`, '/throw')
    await vi.waitFor(() => expect(logs.heard()).toContain('it broke'), { timeout: 10_000 })
    logs.stop()

    expect(logs.heard()).toMatch(/^(data|event|id|:)/m)
  })

  it('are for those who may read its deployments', async () => {
    const name = workerName()
    await publish(name, TALKS)
    const { key } = await makeKey({ tenant: 'rival-of-logs', permissions: ['deployments:read'] })

    expect((await ask(`/deploy/logs?service=${name}`)).status).toBe(401)
    expect((await ask(`/deploy/logs?service=${name}`, { key })).status).toBe(404)
    expect((await ask(`/deploy/logs?service=${name}&tenant=default`, { key })).status).toBe(404)
  })
})
