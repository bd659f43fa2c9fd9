import { describe, expect, inject, it } from 'vitest'
import { publish, says, visit, workerName } from './publisher.ts'
import { eventually } from '../eventually.ts'

const { cloudflare, adminKey } = inject('platform')

/** Puts a script into a namespace by the API alone, as wrangler does. */
async function put(namespace: string, name: string, code: string): Promise<number> {
  const body = new FormData()
  body.set('metadata', JSON.stringify({ main_module: 'main.js', compatibility_date: '2026-11-01' }))
  body.set('main.js', new File([code], 'main.js', { type: 'application/javascript+module' }))
  const url = `${cloudflare.apiBaseUrl}/accounts/${cloudflare.accountId}/workers/dispatch/namespaces/${namespace}/scripts/${name}`
  return (await fetch(url, { method: 'PUT', headers: { authorization: `Bearer ${cloudflare.apiToken}` }, body })).status
}

describe('a script that was put into a namespace without deploy', () => {
  it('answers at the host of its environment', async () => {
    const name = workerName()

    expect(await put('dotdo-staging', name, says('by hand'))).toBe(200)

    const answer = await visit(`${name}.staging.do`)
    expect(answer).toMatchObject({ status: 200, text: 'by hand' })
    expect(answer.headers['x-worker-version']).toBeUndefined()
    expect((await visit(`${name}.do`)).status).toBe(404)
  })

  it('gives way to what is published by deploy under its name', async () => {
    const name = workerName()
    await put('dotdo-production', name, says('by hand'))
    expect((await visit(`${name}.do`)).text).toBe('by hand')

    await publish(name, says('by deploy'))

    await eventually(async () => expect((await visit(`${name}.do`)).text).toBe('by deploy'))
  })

  it('and cannot be started answers 503 for itself, with a reason for administrators only', async () => {
    const name = workerName()
    await put('dotdo-production', name, `throw new Error('no hunter2 today'); export default { fetch() {} }`)

    const stranger = await visit(`${name}.do`)
    const administrator = await visit(`${name}.do`, '/', { key: adminKey })

    expect(stranger).toMatchObject({ status: 503, headers: { 'retry-after': expect.stringMatching(/^\d+$/) as string }, error: { code: 'UNAVAILABLE' } })
    expect(stranger.text).not.toContain('hunter2')
    expect(administrator.error['message']).toContain('no hunter2 today')
  })
})
