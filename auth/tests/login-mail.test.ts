import { describe, expect, it } from 'vitest'
import type { Env } from '../src/env.ts'
import { mailHealth, sendMail } from '../src/mail.ts'

/** Stands for Cloudflare's mail, and notes what it is handed. */
function mailing(outcome: () => Promise<unknown> = async () => ({ messageId: 'm' })) {
  const sent: unknown[] = []
  const send = (message: unknown): Promise<unknown> => {
    sent.push(message)
    return outcome()
  }
  const EMAIL = { send } as unknown as SendEmail
  return { sent, env: { EMAIL, MAIL_FROM: 'login@gateway.do' } as Env }
}

const mail = { to: 'ada@acme.example', subject: 'Your code', text: 'It is 123456.\nKeep it.' }

describe('a mail', () => {
  it('is handed on as it is, from the address that is configured', async () => {
    const { sent, env } = mailing()

    await sendMail(mail, { env })

    expect(sent).toEqual([{ from: 'login@gateway.do', ...mail }])
  })

  it.each([
    ['another header in the address', { to: 'ada@acme.example\r\nBcc: eve@evil.example' }],
    ['a line feed in the address', { to: 'ada@acme.example\nx' }],
    ['two addresses', { to: 'ada@acme.example,eve@evil.example' }],
    ['two addresses apart by a semicolon', { to: 'ada@acme.example;eve@evil.example' }],
    ['an address with a name', { to: 'Eve <eve@evil.example>' }],
    ['no address', { to: '' }],
    ['an address that never ends', { to: `${'a'.repeat(250)}@acme.example` }],
    ['another header in the subject', { subject: 'Hello\r\nBcc: eve@evil.example' }],
    ['a line feed in the subject', { subject: 'Hello\nBcc: eve@evil.example' }],
    ['a zero in the subject', { subject: 'Hello\u0000' }],
  ])('with %s is refused, and nothing is sent', async (_what, change) => {
    const { sent, env } = mailing()

    await expect(sendMail({ ...mail, ...change }, { env })).rejects.toMatchObject({ code: 'INVALID' })
    expect(sent).toEqual([])
  })

  it('that is not taken is UPSTREAM, and neither the answer nor the log tells for whom it was', async () => {
    const { env } = mailing(async () => Promise.reject(new Error('550 ada@acme.example: no such mailbox')))

    const refusal = await sendMail(mail, { env }).catch((thrown: unknown) => thrown)

    expect(refusal).toMatchObject({ code: 'UPSTREAM', message: 'The mail could not be sent', cause: '550 …: no such mailbox' })
  })

  it('cannot be sent without a binding or a sender, and health says which is missing', async () => {
    const { env } = mailing()
    const { EMAIL: _none, ...unbound } = env

    await expect(sendMail(mail, { env: unbound as Env })).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(mailHealth(unbound as Env)).toMatchObject({ status: 'degraded', message: expect.stringContaining('EMAIL') as string })
    expect(mailHealth({ ...env, MAIL_FROM: '' })).toMatchObject({ status: 'degraded', message: expect.stringContaining('MAIL_FROM') as string })
    expect(mailHealth(env)).toEqual({ status: 'ok' })
  })
})
