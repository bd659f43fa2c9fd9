import { randomBytes, timingSafeEqual } from 'node:crypto'
import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { writePrivateFile } from '../host/private-file.ts'
import { mailboxPage } from './page.ts'

/** A mail as the mailbox keeps it. */
export interface KeptMail {
  id: string
  /** When it was sent, ISO 8601 in UTC. */
  at: string
  from: string
  to: string[]
  subject: string
  text: string
}

/** What a mailbox is opened with. */
export interface MailboxOptions {
  /** Where mails are kept, one file each. */
  dir: string
  port: number
  onMail(mail: KeptMail): void
}

/** Where mails end on this machine. */
export interface Mailbox {
  /** A page of the newest mails; `/mails` has them as JSON. */
  url: string
  /** `host:port`, for whoever hands mails in. */
  address: string
  /** What they must show: any page in a browser can reach a port of this machine. */
  token: string
  close(): Promise<void>
}

/** So many mails are kept; the oldest go. */
const MOST_MAILS = 200

/** What Cloudflare takes at most, in bytes (https://developers.cloudflare.com/email-service/platform/limits/). */
const LARGEST_MAIL_BYTES = 5 * 1024 * 1024

/** Names by which this machine's own programs ask. Another is a web page's, whose name was made to lead here. */
const OWN_NAMES = /^(localhost|127\.0\.0\.1)(:\d+)?$/

/** Opens the mailbox of a state directory on 127.0.0.1. */
export async function openMailbox({ dir, port, onMail }: MailboxOptions): Promise<Mailbox> {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const token = randomBytes(32).toString('base64url')
  const keep = keeper(dir)
  const server = createServer((request, response) => {
    answer({ request, response }, { dir, token, keep, onMail }).catch(() => send(response, { status: 500, body: 'The mailbox failed\n' }))
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve))
  return { url: `http://localhost:${port}`, address: `127.0.0.1:${port}`, token, close: () => close(server) }
}

/** The mails of a mailbox, newest first. */
export async function readMails(dir: string): Promise<KeptMail[]> {
  const files = (await mailFiles(dir)).reverse()
  return Promise.all(files.map(async (file) => JSON.parse(await readFile(join(dir, file), 'utf8')) as KeptMail)) // written below
}

interface Exchange {
  request: IncomingMessage
  response: ServerResponse
}

interface Keeping {
  dir: string
  token: string
  keep(mail: KeptMail): Promise<void>
  onMail: MailboxOptions['onMail']
}

async function answer({ request, response }: Exchange, { dir, token, keep, onMail }: Keeping): Promise<void> {
  if (request.method === 'POST' && request.url === '/mails' && isToken(request.headers['x-mailbox-token'], token)) {
    const mail = { ...(await readMail(request)), id: `mail_${randomBytes(16).toString('hex')}`, at: new Date().toISOString() }
    await keep(mail)
    onMail(mail)
    return send(response, { status: 200, body: JSON.stringify({ messageId: mail.id }), type: 'application/json' })
  }
  if (request.method !== 'GET' || !OWN_NAMES.test(request.headers.host ?? ''))
    return send(response, { status: 403, body: 'This mailbox is for programs of this machine\n' })
  if (request.url === '/') return send(response, { status: 200, body: mailboxPage(await readMails(dir)), type: 'text/html; charset=utf-8' })
  if (request.url === '/mails') return send(response, { status: 200, body: JSON.stringify(await readMails(dir), null, 2), type: 'application/json' })
  return send(response, { status: 404, body: 'Nothing is here; / is a page of the mails, /mails has them as JSON\n' })
}

/** Keeps one after the other, so that names tell the order, and forgets the oldest. */
function keeper(dir: string): (mail: KeptMail) => Promise<void> {
  let last: Promise<unknown> = Promise.resolve()
  let count = 0
  const write = async (mail: KeptMail): Promise<void> => {
    const name = `${mail.at.replace(/[:.]/g, '-')}-${String(count++).padStart(6, '0')}.json`
    await writePrivateFile(join(dir, name), JSON.stringify(mail, null, 2))
    const files = await mailFiles(dir)
    await Promise.all(files.slice(0, Math.max(0, files.length - MOST_MAILS)).map((file) => rm(join(dir, file), { force: true })))
  }
  return (mail) => {
    const next = last.catch(() => {}).then(() => write(mail))
    last = next
    return next
  }
}

async function mailFiles(dir: string): Promise<string[]> {
  return (await readdir(dir).catch(() => [])).filter((file) => file.endsWith('.json')).sort()
}

async function readMail(request: IncomingMessage): Promise<Omit<KeptMail, 'id' | 'at'>> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sizeBytes += chunk.byteLength
    if (sizeBytes > LARGEST_MAIL_BYTES) throw new Error('The mail is too large')
    chunks.push(chunk)
  }
  return JSON.parse(Buffer.concat(chunks).toString()) as Omit<KeptMail, 'id' | 'at'> // the outbox of this host wrote it, and has the token to show
}

function isToken(shown: string | string[] | undefined, token: string): boolean {
  const [one, other] = [Buffer.from(String(shown)), Buffer.from(token)]
  return one.length === other.length && timingSafeEqual(one, other)
}

function send(response: ServerResponse, { status, body, type = 'text/plain; charset=utf-8' }: { status: number; body: string; type?: string }): void {
  response.writeHead(status, {
    'content-type': type,
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
  })
  response.end(body)
}

function close(server: Server): Promise<void> {
  server.closeAllConnections()
  return new Promise((resolve) => server.close(() => resolve()))
}
