import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { ADMIN, newWorker, NOBODY, publish, visit } from './publishing.ts'

const { DISPATCHER } = env

describe('what cannot be answered', () => {
  const refused = async (answer: Response) => {
    const { error } = await answer.json<{ error: { code: string; message: string } }>()
    return [answer.status, error.code, answer.headers.get('Retry-After'), answer.headers.get('x-dotdo-dispatch'), error.message]
  }

  it.each(['nobody-here.do', 'acme.nobody.tenant.do', 'v7.nobody.do', 'shop.example.com', 'staging.do'])(
    'is 404 at %s, with a word on how to publish',
    async (host) => {
      expect(await refused(await visit(host, { path: '/health' }))).toEqual([404, 'NOT_FOUND', null, 'nothing', expect.stringContaining('publish')])
    },
  )

  it('is 503 while the first version is on its way, and 404 once it was taken down', async () => {
    const worker = newWorker()
    await DISPATCHER.reserveVersion({ tenant: 'default', worker, sha256: 'a'.repeat(64) })
    expect(await refused(await visit(`${worker}.do`))).toEqual([503, 'UNAVAILABLE', '1', null, expect.any(String)])

    await publish({ worker })
    await DISPATCHER.takeDown({ tenant: 'default', worker, environment: 'production' })

    expect(await refused(await visit(`${worker}.do`))).toEqual([404, 'NOT_FOUND', null, 'nothing', `${worker} was taken down`])
  })

  it.each([
    ['thrower', NOBODY, [502, 'UPSTREAM', null, null, 'The worker failed']],
    ['thrower', ADMIN, [502, 'UPSTREAM', null, 'error', 'The worker threw: the password is hunter2']],
    ['greedy', NOBODY, [503, 'UNAVAILABLE', '1', null, 'The worker took more CPU time than its plan allows']],
    ['greedy', ADMIN, [503, 'UNAVAILABLE', '1', 'error', 'The worker took more CPU time than its plan allows']],
    ['missing', ADMIN, [503, 'UNAVAILABLE', '1', null, 'The worker is being published; try again in a second']],
  ] as const)('since the worker is a %s: %o is told as much as it may know', async (script, as, expected) => {
    const worker = newWorker()
    await publish({ worker, script })

    expect(await refused(await visit(`${worker}.do`, { as }))).toEqual(expected)
  })

  it('is not asked of the dispatcher by those who may not speak for others', async () => {
    const headers = { 'x-dotdo-call': JSON.stringify({ onBehalfOf: ADMIN }) }

    expect((await env.UNTRUSTED.fetch('http://hello.internal.do/', { headers })).status).toBe(403)
  })
})
