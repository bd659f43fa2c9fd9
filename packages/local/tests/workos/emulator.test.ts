import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import { createConnection, type AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { freePort } from '../../src/host/ports.ts'
import { startWorkos, type LocalWorkos } from '../../src/workos/emulator.ts'

let workos: LocalWorkos

beforeAll(async () => {
  workos = await startWorkos(await freePort())
})
afterAll(() => workos.close())

const asked = (path: string, body?: unknown): Promise<Response> =>
  fetch(workos.url + path, {
    headers: { authorization: `Bearer ${workos.apiKey}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  })

const redirect_uri = 'http://localhost:8787/auth/callback'

describe('WorkOS on this machine', () => {
  it('lets one choose who signs in, and says so where somebody does not', async () => {
    const page = await (await fetch(`${workos.url}/user_management/authorize?${new URLSearchParams({ redirect_uri, state: 's' })}`)).text()

    expect(page).toContain('Ada Lovelace')
    expect(page).toContain('Grace Hopper')
    expect(page).toContain(`${redirect_uri}?error=access_denied&#38;state=s`)
  })

  it('has the same people and the same organisation at every start', async () => {
    const again = await startWorkos(await freePort())
    const idsAt = async ({ url, apiKey }: LocalWorkos): Promise<string[]> => {
      const lists = ['users', 'organizations'].map(async (name) => {
        const path = name === 'users' ? '/user_management/users' : '/organizations'
        const answer = await fetch(url + path, { headers: { authorization: `Bearer ${apiKey}` } })
        return ((await answer.json()) as { data: { id: string }[] }).data.map(({ id }) => id).sort()
      })
      return (await Promise.all(lists)).flat()
    }

    expect(await idsAt(again)).toEqual(await idsAt(workos))
    expect(again.apiKey).not.toBe(workos.apiKey)
    await again.close()
  })

  it('takes the code of an SSO sign-in as WorkOS’s own library sends it, in a form', async () => {
    const query = new URLSearchParams({ redirect_uri, organization: 'org_01LHCA00000000000000000ACM' })
    const answer = await fetch(`${workos.url}/sso/authorize?${query}`, { redirect: 'manual' })
    const code = new URL(answer.headers.get('location') ?? '').searchParams.get('code') ?? ''

    const taken = await fetch(`${workos.url}/sso/token`, { method: 'POST', body: new URLSearchParams({ grant_type: 'authorization_code', code }) })

    expect(await taken.json()).toMatchObject({ profile: { organization_id: 'org_01LHCA00000000000000000ACM' } })
  })

  it('signs its webhooks with milliseconds, as WorkOS does', async () => {
    const delivery = Promise.withResolvers<{ signature: string; body: string }>()
    const receiver = createServer((request, response) => {
      let body = ''
      request.setEncoding('utf8').on('data', (part: string) => (body += part))
      request.on('end', () => {
        delivery.resolve({ signature: String(request.headers['workos-signature']), body })
        response.end()
      })
    })
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void receiver.close())
    const endpoint_url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`
    const { secret } = (await (await asked('/webhook_endpoints', { endpoint_url, events: [] })).json()) as { secret: string }

    await asked('/organizations', { name: 'Globex' })

    const { signature, body } = await delivery.promise
    const [, time = '', mac] = /^t=(\d{13}), v1=([0-9a-f]{64})$/.exec(signature) ?? []
    expect(createHmac('sha256', secret).update(`${time}.${body}`).digest('hex')).toBe(mac)
  })

  it('is reached from this machine only', async () => {
    const outside =
      Object.values(networkInterfaces())
        .flatMap((found) => found ?? [])
        .find(({ internal, family }) => !internal && family === 'IPv4')?.address ?? '127.0.0.2'

    const outcome = await new Promise<string>((resolve) => {
      const socket = createConnection({ host: outside, port: Number(new URL(workos.url).port) }, () => {
        socket.destroy()
        resolve('connected')
      }).on('error', () => resolve('refused'))
    })

    expect(outcome).toBe('refused')
  })
})
