import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Platform } from '../../src/host/platform.ts'
import { eventLog, started, workspace } from './platform-under-test.ts'

const mail = { from: 'login@platform.localhost', to: 'ada@acme.example', subject: 'Your code', text: 'It is 12345678.\nKeep it.' }

async function send(platform: Platform, message: object): Promise<unknown> {
  const auth = await platform.worker('auth')
  return (await auth.fetch('http://auth/', { method: 'POST', body: JSON.stringify(message) })).json()
}

it('puts what a Worker sends by Cloudflare’s binding into the mailbox and on the screen', async () => {
  const { onEvent, next } = eventLog()
  const platform = await started({ root: await workspace(), onEvent })

  const outcome = await send(platform, mail)

  const dir = platform.signIn?.mailbox.dir ?? ''
  const [file = ''] = await readdir(dir)
  expect(JSON.parse(await readFile(join(dir, file), 'utf8'))).toMatchObject({ ...mail, to: [mail.to] })
  expect(outcome).toEqual({ messageId: expect.stringMatching(/^mail_/) as string })
  expect(await next(({ type }) => type === 'notice')).toEqual({ type: 'notice', message: 'mail to ada@acme.example: Your code\n  It is 12345678.\n  Keep it.' })
})

it('refuses what Cloudflare would: no recipient, and headers of more than one line', async () => {
  const platform = await started({ root: await workspace() })

  const { to: _to, ...unaddressed } = mail
  const refused = [unaddressed, { ...mail, subject: 'Hello\r\nBcc: eve@evil.example' }, { ...mail, to: 'ada@acme.example\nBcc: eve@evil.example' }]

  const codes = await Promise.all(refused.map(async (message) => ((await send(platform, message)) as { code: string }).code))
  expect(codes).toEqual(['E_RECIPIENT_MISSING', 'E_VALIDATION_ERROR', 'E_VALIDATION_ERROR'])
})

it('starts WorkOS, unless one of its own is named, and ends it with the platform', async () => {
  const root = await workspace()
  const platform = await started({ root })
  const url = `${platform.signIn?.workos?.url}/health`
  const alive = (await fetch(url)).status
  await platform.stop()

  const other = await started({ root, variables: { auth: { WORKOS_API_KEY: 'sk_real', WORKOS_CLIENT_ID: 'client_real' } } })

  expect(alive).toBe(200)
  await expect(fetch(url)).rejects.toThrow('fetch failed')
  expect(other.signIn?.workos).toBeUndefined()
})
