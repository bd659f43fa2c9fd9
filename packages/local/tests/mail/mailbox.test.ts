import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { freePort } from '../../src/host/ports.ts'
import { openMailbox, type KeptMail, type Mailbox } from '../../src/mail/mailbox.ts'

const mail = { from: 'login@platform.localhost', to: ['ada@acme.example'], subject: 'Your code', text: 'It is 12345678.' }

interface Opened extends Mailbox {
  dir: string
  told: KeptMail[]
}

async function open(): Promise<Opened> {
  const dir = join(await mkdtemp(join(tmpdir(), 'mailbox-')), 'mail')
  const told: KeptMail[] = []
  const mailbox = await openMailbox({ dir, port: await freePort(), onMail: (kept) => void told.push(kept) })
  onTestFinished(async () => {
    await mailbox.close()
    await rm(join(dir, '..'), { recursive: true })
  })
  return { ...mailbox, dir, told }
}

/** Asks as whoever wants to be: unlike fetch, it may name any host. */
function ask(
  mailbox: Opened,
  path: string,
  { method = 'GET', headers = {}, body = '' }: { method?: string; headers?: Record<string, string>; body?: string } = {},
) {
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const asked = request(`http://${mailbox.address}${path}`, { method, headers }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (part: string) => (text += part))
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }))
    })
    asked.on('error', reject).end(body)
  })
}

const hand = (mailbox: Opened, about: Partial<typeof mail> = {}, token = mailbox.token) =>
  ask(mailbox, '/mails', { method: 'POST', headers: { 'x-mailbox-token': token }, body: JSON.stringify({ ...mail, ...about }) })

describe('the mailbox', () => {
  it('keeps a mail as a file that its owner alone reads, tells of it, and shows it', async () => {
    const mailbox = await open()

    const answer = await hand(mailbox)

    const [file = ''] = await readdir(mailbox.dir)
    expect((await stat(join(mailbox.dir, file))).mode & 0o777).toBe(0o600)
    expect(mailbox.told).toMatchObject([mail])
    expect(JSON.parse((await ask(mailbox, '/mails')).text)).toEqual(mailbox.told)
    expect(JSON.parse(answer.text)).toEqual({ messageId: mailbox.told[0]?.id })
    expect((await ask(mailbox, '/')).text).toContain('It is 12345678.')
  })

  it('keeps the newest two hundred, newest first', async () => {
    const mailbox = await open()

    await Promise.all(Array.from({ length: 205 }, (_, index) => hand(mailbox, { subject: `mail ${index}` })))
    await hand(mailbox, { subject: 'the last' })

    const kept = JSON.parse((await ask(mailbox, '/mails')).text) as KeptMail[]
    expect(kept).toHaveLength(200)
    expect(kept[0]?.subject).toBe('the last')
  })

  it('shows what was written into a mail as text', async () => {
    const mailbox = await open()

    await hand(mailbox, { subject: '<script>alert(1)</script>', text: '<img src=x onerror=alert(1)>' })

    expect((await ask(mailbox, '/')).text).not.toMatch(/<script|<img/)
  })

  it.each([
    ['no token', ''],
    ['another token', 'x'.repeat(43)],
  ])('takes no mail with %s: any page of a browser reaches a port', async (_what, token) => {
    const mailbox = await open()

    expect((await hand(mailbox, {}, token)).status).toBe(403)
    expect(mailbox.told).toEqual([])
  })

  it('is not shown under a name that somebody made lead here', async () => {
    const mailbox = await open()
    await hand(mailbox)

    for (const host of ['evil.example', 'localhost.evil.example', `evil.example:${new URL(mailbox.url).port}`]) {
      for (const path of ['/', '/mails']) expect((await ask(mailbox, path, { headers: { host } })).text).not.toContain('12345678')
    }
  })
})
