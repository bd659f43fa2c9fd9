import { env } from 'cloudflare:workers'
import { describe, expect, it, vi } from 'vitest'
import { ADMIN, keep, newWorker, NOBODY, OF_ACME, publish, visit, type Seen } from './publishing.ts'

const { DISPATCHER, SIBLING } = env

describe('a request to a published worker', () => {
  it('reaches what is live, within its tenant’s limits', async () => {
    const worker = newWorker()
    await publish({ worker })

    const answer = await visit(`${worker}.do`, { path: '/a//b?c=d', method: 'POST', body: 'x', headers: { 'x-mine': '1', 'x-dotdo-secret': '1' } })

    const seen: Seen = await answer.json()
    expect(seen).toMatchObject({ url: `http://${worker}.do/a//b?c=d`, method: 'POST', cf: null, headers: { 'x-mine': '1', 'x-request-id': 'r-1' } })
    expect(seen.headers['traceparent']).toContain('4bf92f3577b34da6a3ce929d0e0e4736')
    expect(Object.keys(seen.headers).filter((name) => name.startsWith('x-dotdo'))).toEqual([])
    expect(seen.options).toEqual({ limits: { cpuMs: 500, subRequests: 50 }, outbound: { outbound: { tenant: 'default', worker, allow: ['*'] } } })
  })

  it('is answered with what the worker says and what it may not say taken away', async () => {
    const worker = newWorker()
    await publish({ worker })

    const { status, headers } = await visit(`${worker}.do`)

    expect([status, headers.get('X-Worker-Version'), headers.get('X-Request-ID'), headers.get('x-mine'), headers.get('Set-Cookie')]).toEqual([
      200,
      'v1',
      'r-1',
      '1',
      'a=b',
    ])
    expect([...headers.keys()].filter((name) => name.startsWith('x-dotdo'))).toEqual([])
  })

  it('under /api sees its own path', async () => {
    const worker = newWorker()
    await publish({ worker })

    const seen: Seen = await (await visit('gateway.do', { path: `/api/${worker}/x?y=z` })).json()

    expect(seen.url).toBe('http://gateway.do/x?y=z')
  })

  it('reaches a version by its number, and a branch’s newest', async () => {
    const worker = newWorker()
    await publish({ worker })
    await keep({ worker, version: 2, branch: 'draft', environment: 'staging' })

    const versions = await Promise.all(
      [`v1.${worker}.do`, `v2.${worker}.staging.do`, `draft.${worker}.preview.do`, `v2.${worker}.do`].map(async (host) =>
        (await visit(host)).headers.get('X-Worker-Version'),
      ),
    )

    expect(versions).toEqual(['v1', 'v2', 'v2', null])
  })

  it.each([
    ['tenant', NOBODY, 401],
    ['tenant', OF_ACME, 200],
    ['tenant', ADMIN, 200],
    ['admin', OF_ACME, 403],
    ['admin', ADMIN, 200],
  ] as const)('to one that is for its %s: %o gets %i', async (access, as, status) => {
    const worker = newWorker()
    await publish({ worker, tenant: 'acme', access })

    expect((await visit(`acme.${worker}.tenant.do`, { as })).status).toBe(status)
  })

  it('sees a rollback of which its own isolate was not told', async () => {
    const worker = newWorker()
    for (const version of [1, 2]) await publish({ worker, version })
    const live = async () => (await visit(`${worker}.do`)).headers.get('X-Worker-Version')
    expect(await live()).toBe('v2')

    await env.Pointers.getByName(`default/${worker}`).rollback('production', 'behind the dispatcher’s back')

    await vi.waitFor(async () => expect(await live()).toBe('v1'), { timeout: 10_000, interval: 50 })
  })

  it('has the limits of the plan and the list that were set for the tenant', async () => {
    const [worker, tenant] = [newWorker(), `tenant-${newWorker()}`]
    await DISPATCHER.setTenant({ tenant, plan: 'plus', outbound: ['*.example.com'] }, { onBehalfOf: ADMIN })
    await publish({ worker, tenant })

    const seen: Seen = await (await visit(`${tenant}.${worker}.tenant.do`)).json()

    expect(seen.options).toMatchObject({ limits: { cpuMs: 5_000, subRequests: 1_000 }, outbound: { outbound: { tenant, allow: ['*.example.com'] } } })
  })
})

describe('a hundred who come at once', () => {
  it('are all answered, by the same version', async () => {
    const worker = newWorker()
    await publish({ worker })

    const answers = await Promise.all(Array.from({ length: 100 }, () => visit(`${worker}.do`)))

    expect(new Set(answers.map(({ status, headers }) => `${status} ${headers.get('X-Worker-Version')}`))).toEqual(new Set(['200 v1']))
  })
})

describe('a canary', () => {
  it('is counted, whoever comes and however many at once', async () => {
    const worker = newWorker()
    await publish({ worker })
    await keep({ worker, version: 2 })
    await keep({ worker, version: 3, script: 'failing' })
    const slot = { tenant: 'default', worker, environment: 'production' as const }
    await DISPATCHER.setCanary({ ...slot, version: 2, percent: 0, header: 'x-try' })
    const counts = async () => (await DISPATCHER.getPointer({ tenant: 'default', worker })).slots[0]?.canary

    await Promise.all(Array.from({ length: 20 }, (_, visitor) => visit(`${worker}.do`, { headers: visitor % 2 === 0 ? { 'x-try': '1' } : {} })))

    await vi.waitFor(async () => expect(await counts()).toMatchObject({ version: 2, requests: 10, errors: 0 }), { timeout: 10_000, interval: 50 })
    await DISPATCHER.setCanary({ ...slot, version: 3, percent: 0, header: 'x-try' })
    for (let visitor = 0; visitor < 3; visitor++) await visit(`${worker}.do`, { headers: { 'x-try': '1' } })
    await vi.waitFor(async () => expect(await counts()).toMatchObject({ version: 3, requests: 3, errors: 3 }), { timeout: 10_000, interval: 50 })
  })

  it('keeps a visitor where it is, by its cookie', async () => {
    const worker = newWorker()
    for (const version of [1, 2]) await publish({ worker, version })
    await DISPATCHER.setCanary({ tenant: 'default', worker, environment: 'production', version: 1, percent: 50 })

    for (let visitor = 0; visitor < 10; visitor++) {
      const first = await visit(`${worker}.do`)
      const cookie =
        first.headers
          .getSetCookie()
          .find((each) => each.startsWith(`dotdo-canary-${worker}=`))
          ?.split(';')[0] ?? ''
      const again = await Promise.all([1, 2, 3].map(() => visit(`${worker}.do`, { headers: { Cookie: cookie } })))

      expect(again.map(({ headers }) => headers.get('X-Worker-Version'))).toEqual(Array(3).fill(first.headers.get('X-Worker-Version')))
    }
  })

  it('that fails is ended by what its visitors got', async () => {
    const worker = newWorker()
    await publish({ worker, version: 1 })
    await keep({ worker, version: 2, script: 'failing' })
    const slot = { tenant: 'default', worker, environment: 'production' as const }
    await DISPATCHER.setCanary({ ...slot, version: 2, percent: 0, header: 'x-try', abortOn: { errorRate: 0.2, minRequests: 5 } })

    await vi.waitFor(
      async () => {
        const answer = await visit(`${worker}.do`, { headers: { 'x-try': '1' } })
        expect([answer.status, answer.headers.get('X-Worker-Version')]).toEqual([200, 'v1'])
      },
      { timeout: 10_000, interval: 20 },
    )

    const { slots } = await DISPATCHER.getPointer({ tenant: 'default', worker })
    expect(slots[0]).toMatchObject({ live: 1, canary: null, abortedCanary: { version: 2, reason: expect.stringContaining('requests failed') as string } })
  })
})

describe('a sibling', () => {
  it('is what is live, by fetch and by RPC', async () => {
    await publish({ worker: 'back', tenant: 'acme', script: 'sibling' })

    expect(await (await SIBLING.fetch('http://back/')).json()).toEqual({ loops: 'dot-do' })
    expect(await SIBLING.add(2, 3)).toBe(5)
  })

  it('is not asked again by a request that was handed on eight times', async () => {
    await publish({ worker: 'back', tenant: 'acme', script: 'sibling' })

    const [seventh, ninth] = await Promise.all(
      [7, 8].map((times) => SIBLING.fetch('http://back/', { headers: { 'CDN-Loop': Array(times).fill('dot-do').join(', ') } })),
    )

    expect([seventh?.status, ninth?.status]).toEqual([200, 403])
  })
})

describe('a custom domain', () => {
  it('leads to its worker once it is verified', async () => {
    const worker = newWorker()
    const host = `${worker}.example.com`
    await publish({ worker, tenant: 'acme' })
    const { verification } = await DISPATCHER.addDomain({ tenant: 'acme', worker, environment: 'production', host })
    expect((await visit(host)).status).toBe(404)

    await env.INTERNET.fetch(`http://dns/set?name=${verification.name}&value=${verification.value}`)
    await DISPATCHER.verifyDomain({ tenant: 'acme', host })

    const seen: Seen = await (await visit(host, { path: '/x' })).json()
    expect(seen.url).toBe(`http://${host}/x`)
    await DISPATCHER.removeDomain({ tenant: 'acme', host })
    expect((await visit(host)).status).toBe(404)
  })
})
