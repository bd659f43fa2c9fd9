import { describe, expect, inject, it, vi } from 'vitest'
import { admin, makeKey } from './client.ts'
import { publish, says, visit, workerName } from './publisher.ts'
import { eventually } from '../eventually.ts'

describe('what nobody published', () => {
  it.each(['nobody-here.do', 'v7.nobody-here.do', 'acme.nobody.tenant.do', 'shop.example.com', 'nobody.staging.do'])(
    'is 404 at %s, with a word on how to publish',
    async (host) => {
      const answer = await visit(host, '/health')

      expect(answer).toMatchObject({ status: 404, error: { code: 'NOT_FOUND' } })
      expect(answer.text).toContain('publish')
    },
  )

  it('is 404 once it was taken down, until it is published again', async () => {
    const name = workerName()
    await publish(name, says('here'))

    expect(await admin(`/deploy/workers/${name}`, { method: 'DELETE' })).toMatchObject({ status: 200, data: { status: 'down' } })
    await eventually(async () => expect((await visit(`${name}.do`)).status).toBe(404))

    await admin('/deploy/rollback', { body: { service: name } })
    await eventually(async () => expect((await visit(`${name}.do`)).text).toBe('here'))
  })
})

describe('environments', () => {
  it('are apart, and promotion carries a version over without building it again', async () => {
    const name = workerName()
    await publish(name, says('old'))
    await publish(name, says('new'), { environment: 'staging' })
    expect((await visit(`${name}.staging.do`)).text).toBe('new')
    expect((await visit(`${name}.do`)).text).toBe('old')

    const promoted = await admin('/deploy/promote', { body: { service: name, from: 'staging', environment: 'production' } })

    expect(promoted).toMatchObject({ status: 200, data: { version: 2, deployment: { action: 'promote' } } })
    await eventually(async () => expect((await visit(`${name}.do`)).text).toBe('new'))
  })

  it('have previews by branch, and a version that is not live is left alone', async () => {
    const name = workerName()
    await publish(name, says('live'))

    const preview = await publish(name, says('draft'), { activate: false, metadata: { branch: 'feature/Nice thing' } })

    expect(preview).toMatchObject({ status: 201, data: { version: 2, deployment: { status: 'preview' } } })
    expect((await visit(`v2.${name}.do`)).text).toBe('draft')
    expect((await visit(`feature-nice-thing.${name}.preview.do`)).text).toBe('draft')
    expect((await visit(`${name}.do`)).text).toBe('live')
  })

  it('internal is for administrators', async () => {
    const name = workerName()
    await publish(name, says('inside'), { environment: undefined, tier: 'internal' })
    const { key } = await makeKey({ permissions: ['things:read'] })

    expect((await visit(`${name}.internal.do`)).status).toBe(401)
    expect((await visit(`${name}.internal.do`, '/', { key })).status).toBe(403)
    expect((await visit(`${name}.internal.do`, '/', { key: inject('platform').adminKey })).text).toBe('inside')
  })
})

describe('the versions an environment keeps', () => {
  it('are the last twenty; what is older is gone from the namespace too', async () => {
    const name = workerName()
    for (let version = 1; version <= 22; version++) await publish(name, says(String(version)))
    const scriptStatus = async (version: number) => {
      const { apiBaseUrl, accountId, apiToken } = inject('platform').cloudflare
      const url = `${apiBaseUrl}/accounts/${accountId}/workers/dispatch/namespaces/dotdo-production/scripts/${name}--v${version}`
      return (await fetch(url, { headers: { authorization: `Bearer ${apiToken}` } })).status
    }

    await vi.waitFor(async () => expect([await scriptStatus(1), await scriptStatus(2), await scriptStatus(3)]).toEqual([404, 404, 200]), { timeout: 10_000 })

    expect([(await visit(`v3.${name}.do`)).text, (await visit(`${name}.do`)).text]).toEqual(['3', '22'])
    await eventually(async () => expect((await visit(`v1.${name}.do`)).status).toBe(404))
  })
})

describe('two deployments of one worker at once', () => {
  it('are ordered: both have a version, the last to end is live', async () => {
    const name = workerName()

    const published = await Promise.all(['a', 'b', 'c'].map((text) => publish(name, says(text))))

    expect(published.map(({ status }) => status)).toEqual([201, 201, 201])
    expect(published.map(({ data }) => Number(data['version'])).toSorted((a, b) => a - b)).toEqual([1, 2, 3])
    const { data } = await admin(`/deploy/workers/${name}`)
    const slot = (data['slots'] as unknown as { live: number; former: number[] }[])[0]
    expect([slot?.live, ...(slot?.former ?? [])].toSorted()).toEqual([1, 2, 3])
  })
})

describe('diff', () => {
  it('shows what two versions differ in', async () => {
    const name = workerName()
    await publish(name, says('one'), { vars: { A: 1 } })
    await publish(name, says('two'), { vars: { A: 2, B: true } })

    const { data } = await admin(`/deploy/diff?service=${name}&from=1&to=2`)

    expect(data).toMatchObject({
      modules: [{ change: 'changed', patch: expect.stringContaining('+') as string }],
      vars: [
        { name: 'A', change: 'changed' },
        { name: 'B', change: 'added' },
      ],
    })
  })
})

describe('secrets', () => {
  it('reach the worker, survive what is published next, and are shown to nobody', async () => {
    const name = workerName()
    const reveals = (text: string) => `export default { fetch: (request, env) => new Response(${JSON.stringify(text)} + (env.TOKEN ?? 'none')) }`
    await publish(name, reveals('1 '))

    const set = await admin('/deploy/secrets/TOKEN', { method: 'PUT', body: { service: name, value: 'hunter2' } })

    expect(set).toMatchObject({ status: 200, data: { name: 'TOKEN', version: 1 } })
    expect(set.text).not.toContain('hunter2')
    await eventually(async () => expect((await visit(`${name}.do`)).text).toBe('1 hunter2'))
    await publish(name, reveals('2 '))
    expect((await visit(`${name}.do`)).text).toBe('2 hunter2')
    const listed = await admin(`/deploy/secrets?service=${name}`)
    expect(listed.data['items']).toMatchObject([{ name: 'TOKEN' }])
    expect(listed.text + (await admin(`/deploy/versions?service=${name}`)).text).not.toContain('hunter2')

    await admin('/deploy/secrets/TOKEN', { method: 'PUT', body: { service: name, value: 'newer' } })
    await admin('/deploy/rollback', { body: { service: name } })
    await eventually(async () => expect((await visit(`${name}.do`)).text).toBe('1 newer'))
    await admin(`/deploy/secrets/TOKEN?service=${name}`, { method: 'DELETE' })
    await eventually(async () => expect((await visit(`${name}.do`)).text).toBe('1 none'))
  })
})
